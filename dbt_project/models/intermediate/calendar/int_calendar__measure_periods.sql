-- Month ends at which a measure can be computed, given how far back a council's extracts reach. A figure that needs
-- months from before then is not shown at all: it would be low for want of data, not for want of work.

with services as (
    select
        council_code,
        start_date
    from {{ ref('stg_mosaic__service_elements') }}
),

workflow_steps as (
    select
        council_code,
        least(incoming_date, started_date, completed_date, cancelled_date) as first_date
    from {{ ref('stg_mosaic__workflow_steps') }}
),

-- A month counts as held from its first day on when anything in it is.
first_months as (
    select
        council_code,
        'workflow_steps' as held_table,
        date_trunc('month', min(first_date)::timestamp)::date as held_from_date
    from workflow_steps
    group by council_code

    union all

    select
        council_code,
        'service_elements' as held_table,
        date_trunc('month', min(start_date)::timestamp)::date as held_from_date
    from services
    group by council_code
),

first_month_ends as (
    -- K001 looks back over twelve whole months of reviews.
    select
        council_code,
        'K001' as measure_id,
        (held_from_date + interval '12 months' - interval '1 day')::date as first_month_end_date
    from first_months
    where held_table = 'workflow_steps'

    union all

    -- K007 and K016 count from 1 April, so they begin with the first financial year that is held whole.
    select
        first_months.council_code,
        year_to_date_measures.measure_id,
        {{ month_end(financial_year_start("first_months.held_from_date + interval '11 months'")) }}
            as first_month_end_date
    from first_months
    cross join (values ('K007'), ('K016')) as year_to_date_measures (measure_id)
    where first_months.held_table = 'service_elements'
),

recent_months as (
    select month_start::date as month_start_date
    from generate_series(
        date_trunc('month', {{ as_at() }}::timestamp + interval '1 day')
        - interval '{{ var("month_end_window") }} months',
        date_trunc('month', {{ as_at() }}::timestamp + interval '1 day') - interval '1 month',
        interval '1 month'
    ) as months (month_start)
),

recent_month_ends as (
    select
        {{ month_end('month_start_date') }} as month_end_date,
        {{ financial_year_start('month_start_date') }} as year_start_date,
        {{ financial_year('month_start_date') }} as financial_year,
        {{ financial_period('month_start_date') }} as period_number
    from recent_months
)

select
    first_month_ends.council_code,
    first_month_ends.measure_id,
    recent_month_ends.month_end_date,
    recent_month_ends.year_start_date,
    recent_month_ends.financial_year,
    recent_month_ends.period_number,
    first_month_ends.first_month_end_date,
    recent_month_ends.month_end_date = max(recent_month_ends.month_end_date) over () as is_latest
from first_month_ends
inner join recent_month_ends on first_month_ends.first_month_end_date <= recent_month_ends.month_end_date
