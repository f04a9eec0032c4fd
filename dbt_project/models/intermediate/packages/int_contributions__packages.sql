-- What services contribute to K069 (hours commissioned in existing settings) and K070 (two carers cut to one).

with month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        service_type_code,
        start_date,
        end_date,
        unit_code,
        weekly_units,
        carers_per_visit
    from {{ ref('int_support__services') }}
),

discharges as (
    select
        council_code,
        person_id,
        discharge_date
    from {{ ref('int_hospital__referrals') }}
    where discharge_date is not null
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        coalesce(end_date, 'infinity') as end_date
    from {{ ref('int_persons__support_reasons') }}
),

hours_at_month_ends as (
    select
        services.council_code,
        'K069' as measure_id,
        month_ends.month_end_date as counted_on_date,
        services.element_ref,
        services.split_number,
        services.person_id,
        services.service_type_code as other_breakdown_value,
        services.weekly_units as numerator
    from services
    inner join month_ends
        on
            services.start_date <= month_ends.month_end_date
            and (services.end_date is null or services.end_date >= month_ends.month_end_date)
    where
        services.service_type_code in ('supported_living', 'residential')
        and services.unit_code = 'hour'
        and services.weekly_units is not null
),

elements_with_two_carers as (
    select distinct
        council_code,
        element_ref
    from services
    where carers_per_visit > 1
),

splits_with_before as (
    select
        services.*,
        lag(services.carers_per_visit) over (
            partition by services.council_code, services.person_id, services.element_ref
            order by services.split_number
        ) as carers_per_visit_before,
        min(services.start_date) over (partition by services.council_code, services.person_id, services.element_ref)
            as element_start_date
    from services
    inner join elements_with_two_carers
        on
            services.council_code = elements_with_two_carers.council_code
            and services.element_ref = elements_with_two_carers.element_ref
),

cuts_to_one as (
    select
        splits_with_before.council_code,
        'K070' as measure_id,
        splits_with_before.start_date as counted_on_date,
        splits_with_before.element_ref,
        splits_with_before.split_number,
        splits_with_before.person_id,
        null as other_breakdown_value,
        1 as numerator
    from splits_with_before
    where
        splits_with_before.carers_per_visit = 1
        and splits_with_before.carers_per_visit_before > 1
        and exists (
            select 1
            from discharges
            where
                splits_with_before.council_code = discharges.council_code
                and splits_with_before.person_id = discharges.person_id
                and splits_with_before.element_start_date >= discharges.discharge_date
                and splits_with_before.element_start_date
                <= discharges.discharge_date + {{ var('discharge_package_days') }}
        )
),

contributions as (
    select * from hours_at_month_ends
    union all
    select * from cuts_to_one
)

select
    contributions.council_code::text as council_code,
    contributions.measure_id::text as measure_id,
    contributions.counted_on_date::date as counted_on_date,
    'fct_services'::text as fact_name,
    (contributions.element_ref || '-' || contributions.split_number)::text as fact_key,
    contributions.person_id::text as person_id,
    null::text as team_ref,
    ({{ age_band('people.birth_date', 'contributions.counted_on_date') }})::text as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown')::text as support_reason_code,
    contributions.other_breakdown_value::text as other_breakdown_value,
    contributions.numerator::numeric as numerator,
    null::numeric as denominator
from contributions
inner join people
    on
        contributions.council_code = people.council_code
        and contributions.person_id = people.person_id
left join support_reasons
    on
        contributions.council_code = support_reasons.council_code
        and contributions.person_id = support_reasons.person_id
        and contributions.counted_on_date between support_reasons.start_date and support_reasons.end_date
