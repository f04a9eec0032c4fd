-- What households, carers' assessments and placements contribute to K025 to K030.

with households as (
    select
        council_code,
        household_id,
        main_type_code,
        approved_date,
        left_date,
        has_resigned
    from {{ ref('int_shared_lives__households') }}
),

assessments as (
    select
        council_code,
        assessment_id,
        applied_date,
        assessment_start_date,
        assessment_end_date
    from {{ ref('int_shared_lives__assessments') }}
),

placements as (
    select
        council_code,
        month_end_date,
        person_id,
        placement_id,
        is_short_stay,
        age_band,
        support_reason_code,
        counted_weekly_cost_gbp
    from {{ ref('int_placements__month_ends') }}
    where service_type_code = 'shared_lives'
),

comparisons as (
    select
        council_code,
        period_end_date,
        service_type_code,
        placement_count,
        cost_avoided_gbp
    from {{ ref('int_shared_lives__cost_comparison') }}
    where
        basis_code = 'calculated'
        and service_type_code = '{{ var("k030_alternative_setting") }}'
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

households_at_month_ends as (
    select
        households.council_code,
        households.household_id,
        households.main_type_code,
        month_ends.month_end_date,
        households.approved_date <= month_ends.month_end_date
        and coalesce(households.left_date > month_ends.month_end_date, true) as is_in_scheme,
        households.approved_date <= date '{{ var("shared_lives_base_date") }}'
        and coalesce(households.left_date > date '{{ var("shared_lives_base_date") }}', true)
            as was_in_scheme_on_base_date
    from households
    cross join month_ends
    where households.approved_date is not null
),

stages_at_month_ends as (
    select
        assessments.council_code,
        assessments.assessment_id,
        month_ends.month_end_date,
        case
            when assessments.assessment_start_date <= month_ends.month_end_date then 'in_progress'
            else 'waiting'
        end as stage_code
    from assessments
    inner join month_ends
        on
            assessments.applied_date <= month_ends.month_end_date
            and (
                assessments.assessment_end_date is null
                or assessments.assessment_end_date > month_ends.month_end_date
            )
),

-- Somebody who has a placement and a short stay beside it is one person.
people_supported as (
    select distinct on (council_code, month_end_date, person_id)
        council_code,
        month_end_date,
        person_id,
        placement_id,
        age_band,
        support_reason_code
    from placements
    order by
        council_code,
        month_end_date,
        person_id,
        is_short_stay,
        placement_id
),

-- Equal shares that add up to the whole: the first takes what cannot be divided.
shares_of_cost_avoided as (
    select
        placements.council_code,
        placements.month_end_date,
        placements.placement_id,
        placements.person_id,
        placements.age_band,
        placements.support_reason_code,
        comparisons.service_type_code,
        comparisons.placement_count,
        comparisons.cost_avoided_gbp,
        (comparisons.cost_avoided_gbp / comparisons.placement_count)::numeric(28, 8) as equal_share_gbp,
        row_number() over (
            partition by placements.council_code, placements.month_end_date
            order by placements.placement_id
        ) as place
    from placements
    inner join comparisons
        on
            placements.council_code = comparisons.council_code
            and placements.month_end_date = comparisons.period_end_date
    where
        not placements.is_short_stay
        and placements.age_band = '18-64'
        and placements.counted_weekly_cost_gbp is not null
),

all_contributions as (
    select
        council_code,
        'K025' as measure_id,
        month_end_date as counted_on_date,
        'fct_shared_lives_households' as fact_name,
        household_id as fact_key,
        null as person_id,
        null as age_band,
        null as support_reason_code,
        main_type_code as other_breakdown_value,
        1::numeric as numerator
    from households_at_month_ends
    where is_in_scheme

    union all

    select
        council_code,
        'K026' as measure_id,
        month_end_date as counted_on_date,
        'fct_placements' as fact_name,
        placement_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        null as other_breakdown_value,
        1 as numerator
    from people_supported

    union all

    select
        council_code,
        'K027' as measure_id,
        month_end_date as counted_on_date,
        'fct_shared_lives_households' as fact_name,
        household_id as fact_key,
        null as person_id,
        null as age_band,
        null as support_reason_code,
        null as other_breakdown_value,
        is_in_scheme::integer - was_in_scheme_on_base_date::integer as numerator
    from households_at_month_ends
    where
        main_type_code = 'long_term'
        and (is_in_scheme or was_in_scheme_on_base_date)

    union all

    select
        council_code,
        'K028' as measure_id,
        left_date as counted_on_date,
        'fct_shared_lives_households' as fact_name,
        household_id as fact_key,
        null as person_id,
        null as age_band,
        null as support_reason_code,
        main_type_code as other_breakdown_value,
        1 as numerator
    from households
    where has_resigned

    union all

    select
        council_code,
        'K029' as measure_id,
        month_end_date as counted_on_date,
        'fct_shared_lives_assessments' as fact_name,
        assessment_id as fact_key,
        null as person_id,
        null as age_band,
        null as support_reason_code,
        stage_code as other_breakdown_value,
        1 as numerator
    from stages_at_month_ends

    union all

    select
        council_code,
        'K030' as measure_id,
        month_end_date as counted_on_date,
        'fct_placements' as fact_name,
        placement_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        service_type_code as other_breakdown_value,
        case
            when place = 1 then cost_avoided_gbp - equal_share_gbp * (placement_count - 1)
            else equal_share_gbp
        end as numerator
    from shares_of_cost_avoided
)

select
    council_code,
    measure_id,
    counted_on_date,
    fact_name,
    fact_key,
    person_id,
    null::text as team_ref,
    age_band,
    support_reason_code,
    other_breakdown_value,
    numerator,
    null::numeric as denominator
from all_contributions
