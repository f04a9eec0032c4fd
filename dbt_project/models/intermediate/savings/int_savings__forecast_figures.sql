-- The forecast of a project for a financial year that stood on each month end: what the project office stated last on
-- or before it. Where one paper states several they are parts, and a total beside them is left out.

with measures as (
    select
        measure_projects.measure_id,
        measure_projects.council_code,
        measure_projects.project_ref,
        kinds.savings_kind_code
    from {{ ref('measure_projects') }} as measure_projects
    inner join (values ('K033', 'cashable'), ('K042', 'cost_avoidance'), ('K043', 'cashable'))
        as kinds (measure_id, savings_kind_code)
        on measure_projects.measure_id = kinds.measure_id
),

forecasts as (
    select
        *,
        concat_ws('|', report_date, project_ref, as_of_date, period, figure, effect_code, savings_kind_code)
            as project_figure_id,
        figure ~* '\mtotal\M' as is_total
    from {{ ref('stg_programme__project_figures') }}
    where
        figure_code = 'forecast'
        and effect_code in ('in_year', 'year_end', 'not_stated')
        and amount_gbp is not null
),

month_ends as (
    select
        month_end_date,
        financial_year
    from {{ ref('int_calendar__month_ends') }}
),

forecasts_known as (
    select
        measures.measure_id,
        measures.council_code,
        month_ends.month_end_date,
        forecasts.project_figure_id,
        forecasts.amount_gbp,
        forecasts.is_total,
        dense_rank() over (
            partition by measures.measure_id, measures.council_code, measures.project_ref, month_ends.month_end_date
            order by forecasts.as_of_date desc, forecasts.report_date desc
        ) as order_of_age
    from measures
    inner join forecasts
        on
            measures.council_code = forecasts.council_code
            and measures.project_ref = forecasts.project_ref
            and measures.savings_kind_code = forecasts.savings_kind_code
    inner join month_ends
        on
            forecasts.period = month_ends.financial_year
            and forecasts.as_of_date <= month_ends.month_end_date
),

latest_forecasts as (
    select
        *,
        bool_and(is_total) over (partition by measure_id, council_code, month_end_date) as has_only_totals
    from forecasts_known
    where order_of_age = 1
)

select
    council_code,
    measure_id,
    month_end_date,
    project_figure_id,
    amount_gbp
from latest_forecasts
where
    not is_total
    or has_only_totals
