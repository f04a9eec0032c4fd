-- Not the records of one day but every record there ever was: a merged record vanishes, and rows still name it.

select
    council_code,
    person_ref,
    person_id,
    bool_or(known_to is null or known_to > {{ as_at() }}) as is_listed
from {{ source('mosaic', 'persons') }}
where known_from <= {{ as_at() }}
group by
    council_code,
    person_ref,
    person_id
