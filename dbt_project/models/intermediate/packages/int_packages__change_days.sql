-- Days on which a person's services changed in more than their price. A split continues the one before, by number, of
-- its element, and does so at another price alone if kind, unit, units a week and carers are the same.

with services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        service_type_code,
        start_date,
        end_date,
        end_reason_code,
        unit_code,
        weekly_units,
        carers_per_visit,
        step_ref
    from {{ ref('int_support__services') }}
),

services_with_neighbours as (
    select
        *,
        coalesce(
            start_date = lag(end_date) over splits + 1
            and service_type_code = lag(service_type_code) over splits
            and unit_code is not distinct from lag(unit_code) over splits
            and weekly_units is not distinct from lag(weekly_units) over splits
            and carers_per_visit is not distinct from lag(carers_per_visit) over splits,
            false
        ) as continues,
        coalesce(
            end_date + 1 = lead(start_date) over splits
            and service_type_code = lead(service_type_code) over splits
            and unit_code is not distinct from lead(unit_code) over splits
            and weekly_units is not distinct from lead(weekly_units) over splits
            and carers_per_visit is not distinct from lead(carers_per_visit) over splits,
            false
        ) as is_continued
    from services
    window splits as (partition by council_code, person_id, element_ref order by split_number)
),

changes as (
    select
        council_code,
        person_id,
        start_date as change_date,
        not continues as is_more_than_price,
        step_ref is not null as is_agreed_at_step
    from services_with_neighbours

    union all

    select
        council_code,
        person_id,
        end_date + 1 as change_date,
        not is_continued and coalesce(end_reason_code not in ('died', 'hospital'), true) as is_more_than_price,
        false as is_agreed_at_step
    from services_with_neighbours
    where end_date is not null
)

select
    council_code,
    person_id,
    change_date,
    bool_or(is_agreed_at_step) as is_agreed_at_step
from changes
group by
    council_code,
    person_id,
    change_date
having bool_or(is_more_than_price)
