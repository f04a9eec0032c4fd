-- The first day of each financial year on which a carer was advised (K054) or supported (K055): carers of months cannot
-- be added, so a year counts each once, on that day. A break that nobody ended goes on to the as-at date.

with carer_support as (
    select
        council_code,
        support_ref,
        carer_support_id,
        person_id,
        support_code,
        start_date,
        coalesce(end_date, {{ as_at() }}) as last_date
    from {{ ref('int_carers__support') }}
),

support_by_measure as (
    select
        'K054' as measure_id,
        *
    from carer_support
    where support_code = 'advice'

    union all

    select
        'K055' as measure_id,
        *
    from carer_support
    where support_code = any(array{{ var('carers_supported_by') }})
),

support_years as (
    select
        support_by_measure.*,
        greatest(support_by_measure.start_date, years.year_start::date) as first_date,
        years.year_start::date as year_start_date
    from support_by_measure
    cross join lateral generate_series(
        {{ financial_year_start('support_by_measure.start_date') }}::timestamp,
        support_by_measure.last_date::timestamp,
        interval '1 year'
    ) as years (year_start)
)

select distinct on (council_code, measure_id, person_id, year_start_date)
    council_code,
    measure_id,
    person_id,
    year_start_date,
    first_date,
    carer_support_id
from support_years
where first_date <= {{ as_at() }}
order by
    council_code asc,
    measure_id asc,
    person_id asc,
    year_start_date asc,
    first_date asc,
    support_ref asc
