-- Not the claims of one day but every version of each that was known up to the as-at date: a claim may be given to
-- another project, and one that is withdrawn vanishes.

select
    council_code,
    claim_ref,
    project_ref,
    known_from,
    case when known_to <= {{ as_at() }} then known_to end as known_to
from {{ source('programme', 'savings_claims') }}
where known_from <= {{ as_at() }}
