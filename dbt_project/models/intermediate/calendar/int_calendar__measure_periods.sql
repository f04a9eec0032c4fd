-- Periods for which a measure can be computed, given how far a council's extracts reach: back, those of the datasets it
-- needs; forth, these and all that its own facts are made of. A figure that needs other months is not shown at all: it
-- would be low for want of data, not for want of work.

with measures as (
    select
        measure_id,
        valid_from,
        string_to_array(period_types, ' ') as period_types
    from {{ ref('kpi_registry') }}
    where
        how_obtained_code = 'calculated'
        and valid_from <= {{ as_at() }}
        and (valid_to is null or valid_to > {{ as_at() }})
),

needs as (
    select
        measure_id,
        valid_from,
        dataset_code,
        month_count,
        is_since_year_start,
        count(*) over (partition by measure_id, valid_from) as needed_count
    from {{ ref('kpi_needs') }}
),

coverage as (
    select
        council_code,
        dataset_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
),

freshness as (
    select
        council_code,
        measure_id,
        held_through_date
    from {{ ref('int_freshness__measures') }}
),

month_ends as (
    select
        month_end_date,
        year_start_date,
        financial_year,
        period_number,
        is_latest
    from {{ ref('int_calendar__month_ends') }}
),

datasets_held as (
    select
        coverage.council_code,
        needs.measure_id,
        coverage.held_from_date,
        least(coverage.held_through_date, freshness.held_through_date) as held_through_date,
        needs.month_count,
        needs.is_since_year_start,
        needs.needed_count,
        measures.period_types,
        count(*) over (partition by coverage.council_code, needs.measure_id) as held_count
    from measures
    inner join needs on measures.measure_id = needs.measure_id and measures.valid_from = needs.valid_from
    inner join coverage on needs.dataset_code = coverage.dataset_code
    left join freshness
        on
            coverage.council_code = freshness.council_code
            and needs.measure_id = freshness.measure_id
),

-- A quarter and a whole financial year are measured once, when they are over.
datasets_by_period as (
    select
        datasets_held.council_code,
        datasets_held.measure_id,
        period_types.period_type,
        {{ period_start('period_types.period_type', 'month_ends.month_end_date') }} as period_start_date,
        month_ends.month_end_date,
        month_ends.year_start_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.is_latest,
        datasets_held.held_from_date,
        datasets_held.held_through_date,
        case
            when datasets_held.is_since_year_start then month_ends.year_start_date
            else
                (
                    month_ends.month_end_date + 1 - make_interval(months => coalesce(datasets_held.month_count, 1))
                )::date
        end as needed_from_date
    from datasets_held
    cross join unnest(datasets_held.period_types) as period_types (period_type)
    cross join month_ends
    where
        datasets_held.held_count = datasets_held.needed_count
        and (period_types.period_type <> 'financial_year' or month_ends.period_number = 12)
        and (period_types.period_type <> 'quarter' or month_ends.period_number % 3 = 0)
)

select
    council_code,
    measure_id,
    period_type,
    period_start_date,
    month_end_date,
    year_start_date,
    financial_year,
    period_number,
    max(held_from_date) as held_from_date,
    is_latest
from datasets_by_period
group by
    council_code,
    measure_id,
    period_type,
    period_start_date,
    month_end_date,
    year_start_date,
    financial_year,
    period_number,
    is_latest
having bool_and(held_from_date <= least(period_start_date, needed_from_date) and held_through_date >= month_end_date)
