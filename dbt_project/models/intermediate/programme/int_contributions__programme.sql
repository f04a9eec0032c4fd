-- What the programme office's figures contribute to measures: see dbt_project/measures/portfolio.yml.

with month_ends as (
    select
        month_end_date,
        financial_year
    from {{ ref('int_calendar__month_ends') }}
),

portfolio_sources as (
    select distinct
        council_code,
        report_date,
        source_programme_ref as programme_ref
    from {{ ref('int_programme__figure_sources') }}
    where is_top
),

report_dates as (
    select distinct
        council_code,
        report_date
    from {{ ref('int_programme__figure_sources') }}
),

latest_reports as (
    select
        report_dates.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        max(report_dates.report_date) as report_date
    from month_ends
    inner join report_dates on month_ends.month_end_date >= report_dates.report_date
    group by
        report_dates.council_code,
        month_ends.month_end_date,
        month_ends.financial_year
),

portfolio_at_month_ends as (
    select
        latest_reports.council_code,
        latest_reports.month_end_date,
        latest_reports.financial_year as current_financial_year,
        latest_reports.report_date,
        portfolio_sources.programme_ref
    from latest_reports
    inner join portfolio_sources
        on
            latest_reports.council_code = portfolio_sources.council_code
            and latest_reports.report_date = portfolio_sources.report_date
),

targets as (
    select
        portfolio_at_month_ends.council_code,
        portfolio_at_month_ends.month_end_date,
        portfolio_at_month_ends.current_financial_year,
        concat_ws('|', facts.report_date, facts.programme_ref, facts.financial_year) as fact_key,
        facts.programme_ref,
        facts.financial_year,
        facts.target_gbp
    from portfolio_at_month_ends
    inner join {{ ref('stg_programme__savings_targets') }} as facts
        on
            portfolio_at_month_ends.council_code = facts.council_code
            and portfolio_at_month_ends.report_date = facts.report_date
            and portfolio_at_month_ends.programme_ref = facts.programme_ref
),

amounts_at_risk as (
    select
        portfolio_at_month_ends.council_code,
        portfolio_at_month_ends.month_end_date,
        portfolio_at_month_ends.current_financial_year,
        concat_ws('|', facts.report_date, facts.programme_ref, facts.financial_year) as fact_key,
        facts.financial_year,
        facts.at_risk_gbp
    from portfolio_at_month_ends
    inner join {{ ref('stg_programme__amounts_at_risk') }} as facts
        on
            portfolio_at_month_ends.council_code = facts.council_code
            and portfolio_at_month_ends.report_date = facts.report_date
            and portfolio_at_month_ends.programme_ref = facts.programme_ref
),

alternative_delivery as (
    select
        portfolio_at_month_ends.council_code,
        portfolio_at_month_ends.month_end_date,
        concat_ws('|', facts.report_date, facts.programme_ref) as fact_key,
        facts.alternative_delivery_gbp
    from portfolio_at_month_ends
    inner join {{ ref('stg_programme__alternative_delivery') }} as facts
        on
            portfolio_at_month_ends.council_code = facts.council_code
            and portfolio_at_month_ends.report_date = facts.report_date
            and portfolio_at_month_ends.programme_ref = facts.programme_ref
),

closing_statuses as (
    select
        statuses.council_code,
        statuses.project_ref,
        month_ends.month_end_date,
        (array_agg(statuses.status_code order by statuses.report_date desc))[1] as status_code
    from month_ends
    inner join {{ ref('int_programme__statuses') }} as statuses
        on
            month_ends.month_end_date >= statuses.report_date
            and statuses.project_ref is not null
            and statuses.status_code is not null
    group by
        statuses.council_code,
        statuses.project_ref,
        month_ends.month_end_date
),

first_approvals as (
    select
        council_code,
        project_ref,
        min(approved_date) as approved_date
    from {{ ref('stg_programme__target_versions') }}
    where decision_code = 'approved'
    group by
        council_code,
        project_ref
),

governed_projects as (
    select
        projects.council_code,
        month_ends.month_end_date,
        projects.project_ref as fact_key,
        projects.governance_level_code
    from {{ ref('stg_programme__projects') }} as projects
    inner join first_approvals
        on
            projects.council_code = first_approvals.council_code
            and projects.project_ref = first_approvals.project_ref
    inner join month_ends on first_approvals.approved_date <= month_ends.month_end_date
    left join closing_statuses
        on
            projects.council_code = closing_statuses.council_code
            and projects.project_ref = closing_statuses.project_ref
            and month_ends.month_end_date = closing_statuses.month_end_date
    where
        projects.governance_level_code is not null
        and closing_statuses.status_code is distinct from 'Closed or Completed'
),

achievements as (
    select distinct on (facts.council_code, month_ends.month_end_date, facts.project_ref, facts.period)
        facts.council_code,
        month_ends.month_end_date,
        month_ends.financial_year as current_financial_year,
        facts.project_ref,
        facts.period as financial_year,
        facts.project_figure_id as fact_key,
        facts.amount_gbp
    from month_ends
    inner join {{ ref('int_programme__project_figures') }} as facts
        on
            month_ends.month_end_date >= facts.as_of_date
            and month_ends.financial_year >= facts.period
    where
        facts.figure_code = 'achieved'
        and facts.savings_kind_code = 'cashable'
        and facts.amount_gbp is not null
        and facts.period ~ '^\d{4}/\d{2}$'
        and facts.effect_code in ('in_year', 'year_to_date', 'year_end')
    order by
        facts.council_code asc,
        month_ends.month_end_date asc,
        facts.project_ref asc,
        facts.period asc,
        facts.as_of_date desc,
        facts.report_date desc,
        facts.amount_gbp desc,
        facts.project_figure_id asc
),

contributions as (
    select
        council_code,
        'K045' as measure_id,
        month_end_date as counted_on_date,
        'fct_savings_targets' as fact_name,
        fact_key,
        financial_year as other_breakdown_value,
        target_gbp as numerator
    from targets

    union all

    select
        council_code,
        'K046' as measure_id,
        month_end_date as counted_on_date,
        'fct_amounts_at_risk' as fact_name,
        fact_key,
        financial_year as other_breakdown_value,
        at_risk_gbp as numerator
    from amounts_at_risk

    union all

    select
        council_code,
        'K047' as measure_id,
        month_end_date as counted_on_date,
        'fct_alternative_delivery' as fact_name,
        fact_key,
        null as other_breakdown_value,
        alternative_delivery_gbp as numerator
    from alternative_delivery

    union all

    select
        council_code,
        'K048' as measure_id,
        month_end_date as counted_on_date,
        'fct_amounts_at_risk' as fact_name,
        fact_key,
        null as other_breakdown_value,
        at_risk_gbp as numerator
    from amounts_at_risk

    union all

    select
        council_code,
        'K048' as measure_id,
        month_end_date as counted_on_date,
        'fct_alternative_delivery' as fact_name,
        fact_key,
        null as other_breakdown_value,
        -alternative_delivery_gbp as numerator
    from alternative_delivery

    union all

    select
        council_code,
        'K049' as measure_id,
        month_end_date as counted_on_date,
        'fct_amounts_at_risk' as fact_name,
        fact_key,
        null as other_breakdown_value,
        -at_risk_gbp as numerator
    from amounts_at_risk
    where financial_year = current_financial_year

    union all

    select
        council_code,
        'K051' as measure_id,
        month_end_date as counted_on_date,
        'dim_project' as fact_name,
        fact_key,
        governance_level_code as other_breakdown_value,
        1 as numerator
    from governed_projects

    union all

    select
        council_code,
        'K052' as measure_id,
        report_date as counted_on_date,
        'fct_change_request_years' as fact_name,
        change_request_year_id as fact_key,
        reported_financial_year as other_breakdown_value,
        change_gbp as numerator
    from {{ ref('int_programme__change_request_years') }}
    where report_date is not null

    union all

    select
        council_code,
        'K062' as measure_id,
        month_end_date as counted_on_date,
        'fct_savings_targets' as fact_name,
        fact_key,
        programme_ref as other_breakdown_value,
        target_gbp as numerator
    from targets
    where financial_year = current_financial_year

    union all

    select
        council_code,
        'K063' as measure_id,
        month_end_date as counted_on_date,
        'fct_project_figures' as fact_name,
        fact_key,
        project_ref as other_breakdown_value,
        amount_gbp as numerator
    from achievements

    union all

    select
        council_code,
        'K064' as measure_id,
        month_end_date as counted_on_date,
        'fct_project_figures' as fact_name,
        fact_key,
        project_ref as other_breakdown_value,
        amount_gbp as numerator
    from achievements
    where financial_year = current_financial_year
)

select
    council_code::text as council_code,
    measure_id::text as measure_id,
    counted_on_date::date as counted_on_date,
    fact_name::text as fact_name,
    fact_key::text as fact_key,
    null::text as person_id,
    null::text as team_ref,
    null::text as age_band,
    null::text as support_reason_code,
    other_breakdown_value::text as other_breakdown_value,
    numerator::numeric(16, 2) as numerator,
    null::numeric as denominator
from contributions
