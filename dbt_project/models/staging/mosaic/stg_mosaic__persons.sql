select
    council_code,
    person_ref,
    birth_date,
    death_date,
    gender_code,
    {{ outward_code('postcode') }} as home_area_code,
    person_id
from {{ known_at(source('mosaic', 'persons')) }}
