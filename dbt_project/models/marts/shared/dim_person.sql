select
    {{ publication_id() }} as publication_id,
    council_code,
    person_id,
    {{ age_band('birth_date', as_at()) }} as age_band,
    gender_code,
    death_date is not null as is_deceased
from {{ ref('int_persons__people') }}
