-- Month ends at which a measure can be computed, given how far back a council's extracts reach. A figure that needs
-- months from before then is not shown at all: it would be low for want of data, not for want of work.

-- Services open when an extract begins bring start dates from long before, and a death can be older than the extract
-- too: only recorded ends show since when the services are held whole.
with services_ended as (
    select
        council_code,
        recorded_end_date
    from {{ ref('int_support__services') }}
    where recorded_end_date is not null
),

reviews as (
    select
        council_code,
        review_date
    from {{ ref('int_reviews__completed') }}
),

-- A month counts as held from its first day on when anything in it is.
services_held as (
    select
        council_code,
        date_trunc('month', min(recorded_end_date)::timestamp)::date as services_from_date
    from services_ended
    group by council_code
),

reviews_held as (
    select
        council_code,
        date_trunc('month', min(review_date)::timestamp)::date as reviews_from_date
    from reviews
    group by council_code
),

first_month_ends as (
    -- K001 needs the services of the month end and twelve whole months of reviews.
    select
        services_held.council_code,
        'K001' as measure_id,
        greatest(
            {{ month_end("services_held.services_from_date") }},
            {{ month_end("reviews_held.reviews_from_date + interval '11 months'") }}
        ) as first_month_end_date
    from services_held
    inner join reviews_held on services_held.council_code = reviews_held.council_code

    union all

    -- K007 and K016 count from 1 April, so they begin with the first financial year that is held whole.
    select
        services_held.council_code,
        year_to_date_measures.measure_id,
        {{ month_end(financial_year_start("services_held.services_from_date + interval '11 months'")) }}
            as first_month_end_date
    from services_held
    cross join (values ('K007'), ('K016')) as year_to_date_measures (measure_id)
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
