-- Discharges from hospital by month, where people were afterwards, and what new packages cost against the base year.

with month_ends as (
    select
        month_end_date,
        date_trunc('month', month_end_date::timestamp)::date as month_start_date,
        financial_year,
        period_number
    from {{ ref('int_calendar__month_ends') }}
),

coverage as (
    select
        council_code,
        dataset_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code in ('hospital_discharges')
),

-- A month that the extracts do not hold has no row: it would be low for want of data.
months_held as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
    from month_ends
    inner join coverage
        on
            month_ends.month_start_date >= coverage.held_from_date
            and month_ends.month_end_date <= coverage.held_through_date
    group by
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
),

discharges as (
    select
        council_code,
        discharge_date,
        outcome_code,
        is_automatic,
        delayed_days
    from {{ ref('int_hospital__referrals') }}
    where discharge_date is not null
),

discharges_by_month_end as (
    select
        council_code,
        {{ month_end('discharge_date') }} as month_end_date,
        count(*) as discharge_count,
        count(*) filter (where outcome_code = 'no_support') as no_support_count,
        count(*) filter (where outcome_code = 'existing_package') as existing_package_count,
        count(*) filter (where outcome_code = 'reablement') as reablement_count,
        count(*) filter (where outcome_code = 'new_package') as new_package_count,
        count(*) filter (where outcome_code = 'care_home') as care_home_count,
        count(*) filter (where outcome_code = 'died') as died_count,
        count(*) filter (where is_automatic) as automatic_count,
        count(*) filter (where delayed_days > 0) as delayed_discharge_count,
        sum(delayed_days) as delayed_days
    from discharges
    group by
        council_code,
        {{ month_end('discharge_date') }}
),

kpi_figures as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        numerator,
        denominator,
        base_numerator,
        value
    from {{ ref('int_kpi__values') }}
    where
        breakdown_type = 'council'
        and measure_id in ('K010', 'K014')
),

figures_by_month_end as (
    select
        council_code,
        period_end_date,
        max(denominator) filter (where measure_id = 'K010' and period_type = 'month') as at_home_known_count,
        max(numerator) filter (where measure_id = 'K010' and period_type = 'month') as at_home_count,
        max(value) filter (where measure_id = 'K010' and period_type = 'month') as at_home_percent,
        max(value) filter (where measure_id = 'K010' and period_type = 'year_to_date') as at_home_to_date_percent,
        max(denominator) filter (where measure_id = 'K014' and period_type = 'month') as package_count,
        max(denominator) filter (where measure_id = 'K014' and period_type = 'year_to_date') as package_to_date_count,
        max(numerator) filter (where measure_id = 'K014' and period_type = 'year_to_date') as package_cost_to_date_gbp,
        max(value) filter (where measure_id = 'K014' and period_type = 'year_to_date')
            as average_weekly_cost_to_date_gbp
    from kpi_figures
    group by
        council_code,
        period_end_date
),

-- The base year's same periods, which are published like any others.
base_year_figures as (
    select
        months_held.council_code,
        months_held.period_number,
        figures_by_month_end.package_cost_to_date_gbp / nullif(figures_by_month_end.package_to_date_count, 0)
            as average_weekly_cost_to_date_gbp
    from months_held
    inner join figures_by_month_end
        on
            months_held.council_code = figures_by_month_end.council_code
            and months_held.month_end_date = figures_by_month_end.period_end_date
    where months_held.financial_year = '{{ var("hospital_discharge_base_year") }}'
)

select
    {{ publication_id() }} as publication_id,
    months_held.council_code,
    months_held.month_end_date as period_end_date,
    months_held.financial_year,
    months_held.period_number,
    coalesce(discharges_by_month_end.discharge_count, 0)::bigint as discharge_count,
    coalesce(discharges_by_month_end.no_support_count, 0)::bigint as no_support_count,
    coalesce(discharges_by_month_end.existing_package_count, 0)::bigint as existing_package_count,
    coalesce(discharges_by_month_end.reablement_count, 0)::bigint as reablement_count,
    coalesce(discharges_by_month_end.new_package_count, 0)::bigint as new_package_count,
    coalesce(discharges_by_month_end.care_home_count, 0)::bigint as care_home_count,
    coalesce(discharges_by_month_end.died_count, 0)::bigint as died_count,
    coalesce(discharges_by_month_end.automatic_count, 0)::bigint as automatic_count,
    coalesce(discharges_by_month_end.delayed_discharge_count, 0)::bigint as delayed_discharge_count,
    coalesce(discharges_by_month_end.delayed_days, 0)::bigint as delayed_days,
    figures_by_month_end.at_home_known_count::bigint as at_home_known_count,
    figures_by_month_end.at_home_count::bigint as at_home_count,
    figures_by_month_end.at_home_percent::numeric(18, 2) as at_home_percent,
    figures_by_month_end.at_home_to_date_percent::numeric(18, 2) as at_home_to_date_percent,
    figures_by_month_end.package_count::bigint as package_count,
    figures_by_month_end.package_to_date_count::bigint as package_to_date_count,
    figures_by_month_end.average_weekly_cost_to_date_gbp::numeric(18, 2) as average_weekly_cost_to_date_gbp,
    '{{ var("hospital_discharge_base_year") }}' as base_financial_year,
    round(base_year_figures.average_weekly_cost_to_date_gbp, 2)::numeric(18, 2)
        as base_year_average_weekly_cost_to_date_gbp,
    case
        when months_held.financial_year > '{{ var("hospital_discharge_base_year") }}'
            then
                round(
                    100 - 100 * figures_by_month_end.package_cost_to_date_gbp
                    / nullif(figures_by_month_end.package_to_date_count, 0)
                    / nullif(base_year_figures.average_weekly_cost_to_date_gbp, 0),
                    2
                )
    end::numeric(18, 2) as cost_reduction_percent,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months_held.council_code', ['fct_hospital_discharges'], 'months_held.month_end_date'
    ) }} as data_status_code
from months_held
left join discharges_by_month_end
    on
        months_held.council_code = discharges_by_month_end.council_code
        and months_held.month_end_date = discharges_by_month_end.month_end_date
left join figures_by_month_end
    on
        months_held.council_code = figures_by_month_end.council_code
        and months_held.month_end_date = figures_by_month_end.period_end_date
left join base_year_figures
    on
        months_held.council_code = base_year_figures.council_code
        and months_held.period_number = base_year_figures.period_number
