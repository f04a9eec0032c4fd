-- Figures of every programme at every report date, from the programmes that int_programme__figure_sources names.

with figure_sources as (
    select
        council_code,
        report_date,
        programme_ref,
        source_programme_ref
    from {{ ref('int_programme__figure_sources') }}
),

reported_figures as (
    select
        council_code,
        report_date,
        programme_ref,
        'savings_target' as figure_code,
        financial_year,
        target_gbp as amount_gbp
    from {{ ref('stg_programme__savings_targets') }}

    union all

    select
        council_code,
        report_date,
        programme_ref,
        'at_risk' as figure_code,
        financial_year,
        at_risk_gbp as amount_gbp
    from {{ ref('stg_programme__amounts_at_risk') }}

    union all

    select
        council_code,
        report_date,
        programme_ref,
        'alternative_delivery' as figure_code,
        null as financial_year,
        alternative_delivery_gbp as amount_gbp
    from {{ ref('stg_programme__alternative_delivery') }}
),

figures as (
    select
        figure_sources.council_code,
        figure_sources.report_date,
        figure_sources.programme_ref,
        reported_figures.figure_code,
        reported_figures.financial_year,
        sum(reported_figures.amount_gbp)::numeric(16, 2) as amount_gbp,
        bool_or(figure_sources.programme_ref <> figure_sources.source_programme_ref) as is_sum_of_programmes
    from figure_sources
    inner join reported_figures
        on
            figure_sources.council_code = reported_figures.council_code
            and figure_sources.report_date = reported_figures.report_date
            and figure_sources.source_programme_ref = reported_figures.programme_ref
    group by
        figure_sources.council_code,
        figure_sources.report_date,
        figure_sources.programme_ref,
        reported_figures.figure_code,
        reported_figures.financial_year
)

-- The target block and the risk block cover different years, so each numbers its own; "2017/18 or earlier" holds all
-- years up to 2017/18 and comes before a plain 2017/18.
select
    council_code,
    report_date,
    programme_ref,
    figure_code,
    financial_year,
    case
        when financial_year is not null
            then dense_rank() over (
                partition by council_code, report_date, figure_code
                order by left(financial_year, 4)::integer, financial_year like '% or earlier' desc
            )::integer
    end as year_position,
    amount_gbp,
    is_sum_of_programmes
from figures
