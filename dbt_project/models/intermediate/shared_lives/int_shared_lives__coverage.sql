with households as (
    select
        council_code,
        approved_date
    from {{ ref('stg_registers__shared_lives_households') }}
    where approved_date is not null
),

carers as (
    select
        council_code,
        applied_date
    from {{ ref('stg_registers__shared_lives_carers') }}
)

select
    council_code,
    'shared_lives_households' as dataset_code,
    date_trunc('month', min(approved_date)::timestamp)::date as held_from_date
from households
group by council_code

union all

select
    council_code,
    'shared_lives_since_base' as dataset_code,
    date_trunc('month', timestamp '{{ var("shared_lives_base_date") }}')::date as held_from_date
from households
group by council_code
having min(approved_date) <= date '{{ var("shared_lives_base_date") }}'

union all

select
    council_code,
    'shared_lives_carers' as dataset_code,
    date_trunc('month', min(applied_date)::timestamp)::date as held_from_date
from carers
group by council_code
