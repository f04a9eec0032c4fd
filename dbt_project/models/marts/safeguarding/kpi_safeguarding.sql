-- Safeguarding enquiries by month: those begun, those concluded, and whether what people wanted was achieved.

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
    where dataset_code in ('safeguarding_enquiries')
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

enquiries as (
    select
        council_code,
        start_date,
        end_date,
        was_asked,
        outcome_code
    from {{ ref('int_safeguarding__enquiries') }}
),

begun_by_month_end as (
    select
        council_code,
        {{ month_end('start_date') }} as month_end_date,
        count(*) as begun_count
    from enquiries
    group by
        council_code,
        {{ month_end('start_date') }}
),

concluded_by_month_end as (
    select
        council_code,
        {{ month_end('end_date') }} as month_end_date,
        count(*) as concluded_count,
        count(*) filter (where was_asked) as asked_count,
        count(*) filter (where was_asked and outcome_code is not null) as said_count,
        count(*) filter (where was_asked and outcome_code = 'fully_achieved') as fully_achieved_count,
        count(*) filter (where was_asked and outcome_code = 'partly_achieved') as partly_achieved_count,
        count(*) filter (where was_asked and outcome_code = 'not_achieved') as not_achieved_count
    from enquiries
    where end_date is not null
    group by
        council_code,
        {{ month_end('end_date') }}
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
        and measure_id in ('K053')
),

figures_by_month_end as (
    select
        council_code,
        period_end_date,
        max(value) filter (where measure_id = 'K053' and period_type = 'month') as fully_achieved_percent,
        max(value) filter (where measure_id = 'K053' and period_type = 'year_to_date') as fully_achieved_to_date_percent
    from kpi_figures
    group by
        council_code,
        period_end_date
)

select
    {{ publication_id() }} as publication_id,
    months_held.council_code,
    months_held.month_end_date as period_end_date,
    months_held.financial_year,
    months_held.period_number,
    coalesce(begun_by_month_end.begun_count, 0)::bigint as begun_count,
    coalesce(concluded_by_month_end.concluded_count, 0)::bigint as concluded_count,
    coalesce(concluded_by_month_end.asked_count, 0)::bigint as asked_count,
    coalesce(concluded_by_month_end.said_count, 0)::bigint as said_count,
    coalesce(concluded_by_month_end.fully_achieved_count, 0)::bigint as fully_achieved_count,
    coalesce(concluded_by_month_end.partly_achieved_count, 0)::bigint as partly_achieved_count,
    coalesce(concluded_by_month_end.not_achieved_count, 0)::bigint as not_achieved_count,
    figures_by_month_end.fully_achieved_percent::numeric(18, 2) as fully_achieved_percent,
    figures_by_month_end.fully_achieved_to_date_percent::numeric(18, 2) as fully_achieved_to_date_percent,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months_held.council_code', ['fct_safeguarding_enquiries'], 'months_held.month_end_date'
    ) }} as data_status_code
from months_held
left join begun_by_month_end
    on
        months_held.council_code = begun_by_month_end.council_code
        and months_held.month_end_date = begun_by_month_end.month_end_date
left join concluded_by_month_end
    on
        months_held.council_code = concluded_by_month_end.council_code
        and months_held.month_end_date = concluded_by_month_end.month_end_date
left join figures_by_month_end
    on
        months_held.council_code = figures_by_month_end.council_code
        and months_held.month_end_date = figures_by_month_end.period_end_date
