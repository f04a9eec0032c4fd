with units as (
    select
        council_code,
        opened_date
    from {{ ref('stg_registers__housing_units') }}
),

voids as (
    select
        council_code,
        start_date
    from {{ ref('stg_registers__housing_voids') }}
)

select
    council_code,
    'housing_units' as dataset_code,
    date_trunc('month', min(opened_date)::timestamp)::date as held_from_date
from units
group by council_code

union all

select
    council_code,
    'housing_since_base' as dataset_code,
    date_trunc('month', timestamp '{{ var("housing_with_care_base_date") }}')::date as held_from_date
from units
group by council_code
having min(opened_date) <= date '{{ var("housing_with_care_base_date") }}'

union all

select
    council_code,
    'housing_voids' as dataset_code,
    date_trunc('month', min(start_date)::timestamp)::date as held_from_date
from voids
group by council_code
