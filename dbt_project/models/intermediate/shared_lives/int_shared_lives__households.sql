-- Households with what their carers' records add. A household resigned when it left and one of its carers had resigned
-- by that day; while a carer goes on it has not left.

with households as (
    select
        council_code,
        household_ref,
        main_type_code,
        gives_short_breaks,
        place_count,
        approved_date,
        ended_date
    from {{ ref('stg_registers__shared_lives_households') }}
),

carers as (
    select
        council_code,
        household_ref,
        resigned_date,
        resignation_reason_code
    from {{ ref('stg_registers__shared_lives_carers') }}
),

households_with_carers as (
    select
        households.council_code,
        households.household_ref,
        count(carers.household_ref)::integer as carer_count,
        coalesce(bool_or(carers.resigned_date <= households.ended_date), false) as has_resignation,
        (array_agg(carers.resignation_reason_code order by carers.resigned_date desc) filter (
            where carers.resigned_date <= households.ended_date
        ))[1] as resignation_reason_code
    from households
    left join carers
        on
            households.council_code = carers.council_code
            and households.household_ref = carers.household_ref
    group by
        households.council_code,
        households.household_ref
)

select
    households.council_code,
    households.household_ref as household_id,
    households.main_type_code,
    households.gives_short_breaks,
    households.place_count,
    households.approved_date,
    households.ended_date as left_date,
    households_with_carers.carer_count,
    coalesce(
        households.ended_date >= households.approved_date
        and households_with_carers.has_resignation,
        false
    ) as has_resigned,
    households_with_carers.resignation_reason_code
from households
inner join households_with_carers
    on
        households.council_code = households_with_carers.council_code
        and households.household_ref = households_with_carers.household_ref
