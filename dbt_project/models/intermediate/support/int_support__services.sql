-- Service rows as the measures use them: of people who are known, ended by death at the latest (services stay open
-- until somebody ends them, and may then be given any reason), and without rows that end before they start, which is
-- how a void row looks.

with service_elements as (
    select
        council_code,
        person_ref,
        element_ref,
        split_number,
        service_type_code,
        provider_ref,
        start_date,
        end_date,
        end_reason_code,
        unit_code,
        units / case frequency_code when 'four_weekly' then 4 else 1 end as weekly_units,
        carers_per_visit,
        weekly_cost_gbp,
        round(weekly_cost_gbp * coalesce(health_share_percent, 0) / 100, 2) as weekly_health_gbp,
        round(weekly_cost_gbp * coalesce(better_care_fund_share_percent, 0) / 100, 2) as weekly_better_care_fund_gbp,
        step_ref,
        project_ref
    from {{ ref('stg_mosaic__service_elements') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
),

people as (
    select
        council_code,
        person_id,
        death_date
    from {{ ref('int_persons__people') }}
),

settings as (
    select
        service_type_code,
        independence_order,
        overlap_priority,
        is_long_term,
        is_accommodation
    from {{ ref('setting_hierarchy') }}
),

services_to_death as (
    select
        service_elements.council_code,
        people.person_id,
        service_elements.element_ref,
        service_elements.split_number,
        service_elements.service_type_code,
        service_elements.provider_ref,
        settings.independence_order,
        settings.overlap_priority,
        settings.is_long_term,
        settings.is_accommodation,
        service_elements.start_date,
        least(service_elements.end_date, people.death_date) as end_date,
        service_elements.end_date as recorded_end_date,
        case
            when people.death_date < coalesce(service_elements.end_date, 'infinity') then 'died'
            else service_elements.end_reason_code
        end as end_reason_code,
        service_elements.unit_code,
        service_elements.weekly_units,
        service_elements.carers_per_visit,
        service_elements.weekly_cost_gbp,
        service_elements.weekly_health_gbp,
        -- Two shares rounded up by half a penny each may not come to more than the whole.
        least(
            service_elements.weekly_better_care_fund_gbp,
            service_elements.weekly_cost_gbp - service_elements.weekly_health_gbp
        ) as weekly_better_care_fund_gbp,
        service_elements.step_ref,
        service_elements.project_ref
    from service_elements
    inner join identities
        on
            service_elements.council_code = identities.council_code
            and service_elements.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
    inner join settings on service_elements.service_type_code = settings.service_type_code
)

select
    council_code,
    person_id,
    element_ref,
    split_number,
    service_type_code,
    provider_ref,
    independence_order,
    overlap_priority,
    is_long_term,
    is_accommodation,
    start_date,
    end_date,
    recorded_end_date,
    end_reason_code,
    unit_code,
    weekly_units::numeric(12, 4) as weekly_units,
    carers_per_visit,
    weekly_cost_gbp,
    weekly_health_gbp::numeric(16, 2) as weekly_health_gbp,
    weekly_better_care_fund_gbp::numeric(16, 2) as weekly_better_care_fund_gbp,
    (weekly_cost_gbp - weekly_health_gbp - weekly_better_care_fund_gbp)::numeric(16, 2) as weekly_council_gbp,
    step_ref,
    project_ref
from services_to_death
where end_date is null or end_date >= start_date
