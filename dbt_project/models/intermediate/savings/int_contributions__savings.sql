with claims as (
    select
        council_code,
        claim_ref,
        project_ref,
        person_id,
        age_band,
        support_reason_code,
        effective_date,
        savings_kind_code,
        in_year_gbp,
        full_year_gbp,
        is_validated
    from {{ ref('int_savings__claims') }}
    where is_counted
),

measure_projects as (
    select
        measure_id,
        council_code,
        project_ref
    from {{ ref('measure_projects') }}
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

forecast_figures as (
    select
        council_code,
        measure_id,
        month_end_date,
        project_figure_id,
        amount_gbp,
        min(project_figure_id) over (partition by council_code, measure_id, month_end_date) as first_figure_id
    from {{ ref('int_savings__forecast_figures') }}
),

claims_of_measures as (
    select
        claims.*,
        measure_projects.measure_id
    from claims
    inner join measure_projects
        on
            claims.council_code = measure_projects.council_code
            and claims.project_ref = measure_projects.project_ref
    where
        case
            when measure_projects.measure_id in ('K002', 'K003', 'K044') then claims.savings_kind_code = 'cashable'
            when measure_projects.measure_id = 'K021'
                then claims.savings_kind_code = 'cashable' and claims.is_validated
            when measure_projects.measure_id = 'K041'
                then claims.savings_kind_code = 'cost_avoidance' and claims.is_validated
            else false
        end
),

claims_counted as (
    select
        *,
        effective_date as counted_on_date,
        case when measure_id = 'K003' then full_year_gbp - in_year_gbp else in_year_gbp end as amount_gbp
    from claims_of_measures
    where measure_id <> 'K021'

    union all

    -- All years together: what has been saved since the project began, month end by month end.
    select
        claims_of_measures.*,
        month_ends.month_end_date as counted_on_date,
        claims_of_measures.full_year_gbp as amount_gbp
    from claims_of_measures
    inner join month_ends on claims_of_measures.effective_date <= month_ends.month_end_date
    where claims_of_measures.measure_id = 'K021'
)

select
    council_code,
    measure_id,
    counted_on_date,
    'fct_savings' as fact_name,
    claim_ref as fact_key,
    person_id,
    null::text as team_ref,
    age_band,
    support_reason_code,
    null::text as other_breakdown_value,
    amount_gbp::numeric as numerator,
    null::numeric as denominator
from claims_counted

union all

select
    council_code,
    measure_id,
    month_end_date as counted_on_date,
    'fct_project_figures' as fact_name,
    project_figure_id as fact_key,
    null as person_id,
    null as team_ref,
    null as age_band,
    null as support_reason_code,
    null as other_breakdown_value,
    amount_gbp as numerator,
    -- One for all parts together: a forecast that nobody made is no forecast of nothing.
    case when project_figure_id = first_figure_id then 1 else 0 end as denominator
from forecast_figures
