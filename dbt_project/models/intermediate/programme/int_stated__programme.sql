-- Figures that papers state about measures: those of projects through the seed stated_measures, which says what a
-- paper's words mean; statuses, and the net impact of changes, as they stand.

with mapped_figures as (
    select
        measure_id,
        council_code,
        fact_name,
        project_ref,
        figure,
        effect_code,
        savings_kind_code,
        period,
        other_breakdown_value,
        period_type,
        role_code
    from {{ ref('stated_measures') }}
),

paper_figures as (
    select
        mapped_figures.council_code,
        mapped_figures.measure_id,
        mapped_figures.period_type,
        mapped_figures.other_breakdown_value,
        mapped_figures.role_code,
        figures.period,
        figures.as_of_date,
        figures.report_date,
        mapped_figures.fact_name,
        figures.project_figure_id as fact_key,
        figures.amount_as_printed,
        coalesce(figures.amount_gbp, figures.percent) as figure_value
    from mapped_figures
    inner join {{ ref('int_programme__project_figures') }} as figures
        on
            mapped_figures.council_code = figures.council_code
            and mapped_figures.project_ref = figures.project_ref
            and mapped_figures.figure = figures.figure
            and coalesce(mapped_figures.effect_code, figures.effect_code) = figures.effect_code
            and coalesce(mapped_figures.savings_kind_code, figures.savings_kind_code) = figures.savings_kind_code
            and coalesce(mapped_figures.period, figures.period) = figures.period
    where mapped_figures.fact_name = 'fct_project_figures'

    union all

    select
        mapped_figures.council_code,
        mapped_figures.measure_id,
        mapped_figures.period_type,
        mapped_figures.other_breakdown_value,
        mapped_figures.role_code,
        totals.period,
        totals.report_date as as_of_date,
        totals.report_date,
        mapped_figures.fact_name,
        concat_ws('|', totals.report_date, totals.report_name, totals.row_name, totals.period) as fact_key,
        totals.amount_as_printed,
        totals.amount_gbp as figure_value
    from mapped_figures
    inner join {{ ref('stg_programme__reported_totals') }} as totals
        on
            mapped_figures.council_code = totals.council_code
            and mapped_figures.figure = totals.row_name
            and mapped_figures.period = totals.period
    where mapped_figures.fact_name = 'fct_reported_totals'
),

-- Of the targets of the same measure, aspect and period: the newest that the paper, or one before it, states.
paper_targets as (
    select distinct on (figures.council_code, figures.measure_id, figures.fact_key)
        figures.council_code,
        figures.measure_id,
        figures.fact_key,
        targets.figure_value as target_value,
        targets.amount_as_printed as target_text
    from paper_figures as figures
    inner join paper_figures as targets
        on
            figures.council_code = targets.council_code
            and figures.measure_id = targets.measure_id
            and figures.period = targets.period
            and figures.other_breakdown_value is not distinct from targets.other_breakdown_value
            and figures.report_date >= targets.report_date
    where
        figures.role_code = 'value'
        and targets.role_code = 'target'
    order by
        figures.council_code asc,
        figures.measure_id asc,
        figures.fact_key asc,
        targets.report_date desc,
        targets.as_of_date desc
),

-- A paper that does not repeat the target means the version in force (R24).
targets_in_force as (
    select
        figures.council_code,
        figures.measure_id,
        figures.fact_key,
        targets.target_gbp
    from paper_figures as figures
    inner join {{ ref('measure_projects') }} as measure_projects
        on
            figures.council_code = measure_projects.council_code
            and figures.measure_id = measure_projects.measure_id
    inner join {{ ref('int_programme__targets_in_force') }} as targets
        on
            measure_projects.council_code = targets.council_code
            and measure_projects.project_ref = targets.project_ref
            and figures.period = targets.financial_year
            and figures.as_of_date >= targets.valid_from
            and (targets.valid_to is null or figures.as_of_date < targets.valid_to)
    where
        figures.role_code = 'value'
        and figures.other_breakdown_value is null
),

activity_figures as (
    select
        mapped_figures.council_code,
        mapped_figures.measure_id,
        mapped_figures.period_type,
        mapped_figures.other_breakdown_value,
        figures.as_of_date,
        figures.report_date,
        figures.activity_figure_id as fact_key,
        figures.actual_value,
        figures.actual_text,
        figures.target_value,
        figures.target_text
    from mapped_figures
    inner join {{ ref('int_programme__activity_figures') }} as figures
        on
            mapped_figures.council_code = figures.council_code
            and mapped_figures.project_ref = figures.project_ref
            and mapped_figures.figure = figures.activity_measure
            and coalesce(mapped_figures.period, figures.period) = figures.period
    where mapped_figures.fact_name = 'fct_activity_figures'
),

-- The commissioning measure names its parts itself, since kinds of saving have no sum (R14).
commissioning_figures as (
    select
        figures.council_code,
        measure_projects.measure_id,
        concat_ws(
            ', ', figures.project_ref, figures.savings_kind_code, figures.period, figures.figure, figures.effect_code
        ) as other_breakdown_value,
        figures.as_of_date,
        figures.report_date,
        figures.project_figure_id as fact_key,
        figures.amount_gbp,
        figures.amount_as_printed
    from {{ ref('measure_projects') }} as measure_projects
    inner join {{ ref('int_programme__project_figures') }} as figures
        on
            measure_projects.council_code = figures.council_code
            and measure_projects.project_ref = figures.project_ref
    where
        measure_projects.measure_id = 'K065'
        and figures.figure_code in ('achieved', 'forecast')
        and figures.amount_gbp is not null
),

programmes as (
    select
        council_code,
        programme_ref,
        programme_name,
        parent_programme_ref is null
        and count(*) filter (where parent_programme_ref is null) over (partition by council_code) = 1 as is_only_top
    from {{ ref('stg_programme__programmes') }}
),

statuses as (
    select
        statuses.council_code,
        statuses.report_date,
        statuses.report_name,
        statuses.project_status_id as fact_key,
        statuses.previous_status_code,
        coalesce(statuses.status_code, statuses.status_words) as status_text,
        case
            when statuses.project_ref is not null then statuses.project_ref || ' ' || projects.project_name
            when not programmes.is_only_top then programmes.programme_ref || ' ' || programmes.programme_name
        end as other_breakdown_value
    from {{ ref('int_programme__statuses') }} as statuses
    left join programmes
        on
            statuses.council_code = programmes.council_code
            and statuses.programme_ref = programmes.programme_ref
    left join {{ ref('stg_programme__projects') }} as projects
        on
            statuses.council_code = projects.council_code
            and statuses.project_ref = projects.project_ref
    where num_nonnulls(statuses.status_code, statuses.status_words) > 0
),

net_impacts as (
    select
        totals.council_code,
        totals.report_date,
        totals.report_name,
        concat_ws('|', totals.report_date, totals.report_name, totals.row_name, totals.period) as fact_key,
        totals.amount_gbp,
        totals.amount_as_printed,
        nullif(totals.period, 'all') as other_breakdown_value
    from {{ ref('stg_programme__reported_totals') }} as totals
    inner join {{ ref('reported_rows') }} as reported_rows
        on
            totals.council_code = reported_rows.council_code
            and totals.row_name = reported_rows.row_name
    where reported_rows.row_code = 'total'
),

stated as (
    select
        paper_figures.council_code,
        paper_figures.measure_id,
        paper_figures.period_type,
        paper_figures.as_of_date as period_end_date,
        paper_figures.other_breakdown_value,
        case when paper_figures.role_code = 'value' then paper_figures.figure_value end as stated_value,
        case when paper_figures.role_code = 'value' then paper_figures.amount_as_printed end as stated_text,
        case
            when paper_figures.role_code = 'target_alone' then paper_figures.figure_value
            else coalesce(paper_targets.target_value, targets_in_force.target_gbp)
        end as target_value,
        case
            when paper_figures.role_code = 'target_alone' then paper_figures.amount_as_printed
            else paper_targets.target_text
        end as target_text,
        null as previous_text,
        paper_figures.report_date,
        null as report_name,
        paper_figures.fact_name,
        paper_figures.fact_key
    from paper_figures
    left join paper_targets
        on
            paper_figures.council_code = paper_targets.council_code
            and paper_figures.measure_id = paper_targets.measure_id
            and paper_figures.fact_key = paper_targets.fact_key
    left join targets_in_force
        on
            paper_figures.council_code = targets_in_force.council_code
            and paper_figures.measure_id = targets_in_force.measure_id
            and paper_figures.fact_key = targets_in_force.fact_key
    where paper_figures.role_code in ('value', 'target_alone')

    union all

    select
        council_code,
        measure_id,
        period_type,
        as_of_date as period_end_date,
        other_breakdown_value,
        actual_value as stated_value,
        actual_text as stated_text,
        target_value,
        target_text,
        null as previous_text,
        report_date,
        null as report_name,
        'fct_activity_figures' as fact_name,
        fact_key
    from activity_figures

    union all

    select
        council_code,
        measure_id,
        'month_end' as period_type,
        as_of_date as period_end_date,
        other_breakdown_value,
        amount_gbp as stated_value,
        amount_as_printed as stated_text,
        null as target_value,
        null as target_text,
        null as previous_text,
        report_date,
        null as report_name,
        'fct_project_figures' as fact_name,
        fact_key
    from commissioning_figures

    union all

    select
        council_code,
        'K050' as measure_id,
        'month_end' as period_type,
        report_date as period_end_date,
        other_breakdown_value,
        null as stated_value,
        status_text as stated_text,
        null as target_value,
        null as target_text,
        previous_status_code as previous_text,
        report_date,
        report_name,
        'fct_project_status' as fact_name,
        fact_key
    from statuses

    union all

    select
        council_code,
        'K052' as measure_id,
        'month' as period_type,
        report_date as period_end_date,
        other_breakdown_value,
        amount_gbp as stated_value,
        amount_as_printed as stated_text,
        null as target_value,
        null as target_text,
        null as previous_text,
        report_date,
        report_name,
        'fct_reported_totals' as fact_name,
        fact_key
    from net_impacts
)

-- Of two papers that state the same figure of the same day, the later.
select distinct on (council_code, measure_id, period_type, period_end_date, other_breakdown_value)
    council_code::text as council_code,
    measure_id::text as measure_id,
    period_type::text as period_type,
    period_end_date::date as period_end_date,
    other_breakdown_value::text as other_breakdown_value,
    stated_value::numeric(16, 2) as stated_value,
    stated_text::text as stated_text,
    target_value::numeric(16, 2) as target_value,
    target_text::text as target_text,
    null::numeric as previous_value,
    previous_text::text as previous_text,
    null::numeric as national_value,
    null::text as national_text,
    null::text as good_is_text,
    report_date::date as report_date,
    report_name::text as report_name,
    fact_name::text as fact_name,
    fact_key::text as fact_key
from stated
order by
    council_code asc,
    measure_id asc,
    period_type asc,
    period_end_date asc,
    other_breakdown_value asc,
    report_date desc,
    fact_key asc
