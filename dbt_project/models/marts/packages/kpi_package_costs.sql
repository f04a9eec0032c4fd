-- Amounts of all days are added up exactly and rounded once, here. A council whose people's contributions are not known
-- has no net cost, and is left out.

with slices as (
    select
        council_code,
        person_id,
        month_end_date,
        start_date,
        end_date,
        is_at_month_end,
        setting_code,
        age_band,
        support_reason_code,
        unpriced_service_count,
        weekly_gross_gbp,
        weekly_health_gbp,
        weekly_better_care_fund_gbp,
        weekly_contribution_gbp,
        weekly_net_gbp
    from {{ ref('int_packages__month_slices') }}
),

-- The assessments reach as far as all that packages are made of: the seed datasets holds them for that fact.
coverage as (
    select
        council_code,
        max(held_from_date) as held_from_date,
        min(held_through_date) as held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code in ('services', 'financial_assessments')
    group by council_code
    having count(*) = 2
),

slices_held as (
    select slices.*
    from slices
    inner join coverage
        on
            slices.council_code = coverage.council_code
            and slices.month_end_date between coverage.held_from_date and coverage.held_through_date
)

select
    {{ publication_id() }} as publication_id,
    council_code,
    month_end_date,
    {{ financial_year('month_end_date') }} as financial_year,
    {{ financial_period('month_end_date') }} as period_number,
    setting_code,
    age_band,
    support_reason_code,
    (count(*) filter (where is_at_month_end))::integer as people_count,
    (count(*) filter (where is_at_month_end and unpriced_service_count > 0))::integer as unpriced_people_count,
    sum(end_date - start_date + 1)::integer as package_days,
    coalesce(sum(end_date - start_date + 1) filter (where unpriced_service_count > 0), 0)::integer
        as unpriced_package_days,
    coalesce(sum({{ cost_of_days('weekly_gross_gbp', 'start_date', 'end_date') }}), 0)::numeric(16, 2)
        as gross_cost_gbp,
    coalesce(sum({{ cost_of_days('weekly_health_gbp', 'start_date', 'end_date') }}), 0)::numeric(16, 2)
        as health_funding_gbp,
    coalesce(sum({{ cost_of_days('weekly_better_care_fund_gbp', 'start_date', 'end_date') }}), 0)::numeric(16, 2)
        as better_care_fund_gbp,
    coalesce(sum({{ cost_of_days('weekly_contribution_gbp', 'start_date', 'end_date') }}), 0)::numeric(16, 2)
        as client_contributions_gbp,
    coalesce(sum({{ cost_of_days('weekly_net_gbp', 'start_date', 'end_date') }}), 0)::numeric(16, 2) as net_cost_gbp,
    avg(weekly_gross_gbp) filter (where is_at_month_end)::numeric(16, 2) as average_weekly_gross_gbp,
    avg(weekly_net_gbp) filter (where is_at_month_end)::numeric(16, 2) as average_weekly_net_gbp,
    {{ as_at() }} as as_at_date,
    {{ data_status_code('council_code', ['fct_package_costs'], 'month_end_date') }} as data_status_code
from slices_held
group by
    council_code,
    month_end_date,
    setting_code,
    age_band,
    support_reason_code
