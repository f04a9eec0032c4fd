with segments as (
    select
        *,
        greatest(least(end_date, {{ as_at() }}), start_date - 1) as last_day_to_date
    from {{ ref('int_packages__segments') }}
)

select
    {{ publication_id() }} as publication_id,
    council_code,
    package_segment_id,
    person_id,
    start_date,
    end_date,
    setting_code,
    service_count,
    unpriced_service_count,
    weekly_gross_gbp,
    weekly_health_gbp,
    weekly_better_care_fund_gbp,
    weekly_contribution_gbp,
    weekly_net_gbp,
    {{ cost_of_a_year('weekly_gross_gbp') }}::numeric(16, 2) as annual_gross_gbp,
    {{ cost_of_a_year('weekly_net_gbp') }}::numeric(16, 2) as annual_net_gbp,
    last_day_to_date - start_date + 1 as days_to_date,
    -- Rounded for people to read: kpi_package_costs adds up the days of all before it rounds.
    {{ cost_of_days('weekly_gross_gbp', 'start_date', 'last_day_to_date') }}::numeric(16, 2) as gross_cost_to_date_gbp,
    {{ cost_of_days('weekly_net_gbp', 'start_date', 'last_day_to_date') }}::numeric(16, 2) as net_cost_to_date_gbp
from segments
