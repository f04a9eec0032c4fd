-- Figures of every programme at every report date. The top of a tree is always the sum of what its programmes report
-- (R07); below it, a programme's own figures stand, since the parts of a report of exceptions do not add up (R06).

with recursive programmes as (
    select
        council_code,
        programme_ref,
        parent_programme_ref
    from {{ ref('stg_programme__programmes') }}
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

reporters as (
    select distinct
        council_code,
        report_date,
        programme_ref
    from reported_figures
),

report_dates as (
    select distinct
        council_code,
        report_date
    from reported_figures
),

programmes_at_report_dates as (
    select
        programmes.council_code,
        report_dates.report_date,
        programmes.programme_ref,
        programmes.parent_programme_ref,
        reporters.programme_ref is not null as has_own_figures
    from programmes
    inner join report_dates on programmes.council_code = report_dates.council_code
    left join reporters
        on
            programmes.council_code = reporters.council_code
            and programmes.programme_ref = reporters.programme_ref
            and report_dates.report_date = reporters.report_date
),

-- From each programme down its tree, until one is reached that has figures of its own. UNION, not UNION ALL: a
-- programme that is its own ancestor must not be walked for ever.
reached_programmes as (
    select
        council_code,
        report_date,
        programme_ref,
        programme_ref as reached_programme_ref,
        has_own_figures and parent_programme_ref is not null as is_source
    from programmes_at_report_dates

    union

    select
        reached_programmes.council_code,
        reached_programmes.report_date,
        reached_programmes.programme_ref,
        children.programme_ref as reached_programme_ref,
        children.has_own_figures as is_source
    from reached_programmes
    inner join programmes_at_report_dates as children
        on
            reached_programmes.council_code = children.council_code
            and reached_programmes.report_date = children.report_date
            and reached_programmes.reached_programme_ref = children.parent_programme_ref
    where not reached_programmes.is_source
),

figure_sources as (
    select
        council_code,
        report_date,
        programme_ref,
        reached_programme_ref as source_programme_ref
    from reached_programmes
    where is_source

    union

    -- A top programme with nothing beneath it that reports keeps its own figures.
    select
        tops.council_code,
        tops.report_date,
        tops.programme_ref,
        tops.programme_ref as source_programme_ref
    from programmes_at_report_dates as tops
    where
        tops.parent_programme_ref is null
        and tops.has_own_figures
        and not exists (
            select 1
            from reached_programmes
            where
                reached_programmes.is_source
                and tops.council_code = reached_programmes.council_code
                and tops.report_date = reached_programmes.report_date
                and tops.programme_ref = reached_programmes.programme_ref
        )
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
