-- The average costs that a paper states (K019) and the cost avoided that follows from them (K030), setting by setting.
-- Amounts of two alternatives are never added, so there is no figure of K030 for all of them.

with comparisons as (
    select
        council_code,
        report_date,
        cost_year,
        period_end_date,
        accommodation_type,
        service_type_code,
        average_weekly_cost_gbp,
        cost_avoided_gbp
    from {{ ref('int_shared_lives__cost_comparison') }}
    where basis_code = 'stated'
),

all_figures as (
    select
        council_code,
        'K019' as measure_id,
        report_date,
        cost_year,
        period_end_date,
        accommodation_type,
        service_type_code,
        average_weekly_cost_gbp as stated_value
    from comparisons

    union all

    select
        council_code,
        'K030' as measure_id,
        report_date,
        cost_year,
        period_end_date,
        accommodation_type,
        service_type_code,
        cost_avoided_gbp as stated_value
    from comparisons
    where
        service_type_code <> 'shared_lives'
        and cost_avoided_gbp is not null
)

select
    council_code,
    measure_id,
    'month_end' as period_type,
    period_end_date,
    service_type_code as other_breakdown_value,
    stated_value,
    null::text as stated_text,
    null::numeric as target_value,
    null::text as target_text,
    null::numeric as previous_value,
    null::text as previous_text,
    null::numeric as national_value,
    null::text as national_text,
    null::text as good_is_text,
    report_date,
    'Average weekly costs by kind of accommodation' as report_name,
    'fct_accommodation_costs' as fact_name,
    report_date || '-' || cost_year || '-' || accommodation_type as fact_key
from all_figures
