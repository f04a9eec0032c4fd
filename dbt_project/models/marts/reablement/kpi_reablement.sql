-- K007: completions of the year to date, and how many more they are than in the same periods of the base year.

with month_ends as (
    select
        council_code,
        month_end_date,
        year_start_date,
        financial_year,
        period_number,
        first_month_end_date
    from {{ ref('int_calendar__measure_periods') }}
    where measure_id = 'K007'
),

completions as (
    select
        council_code,
        {{ financial_year('end_date') }} as financial_year,
        {{ financial_period('end_date') }} as period_number,
        {{ month_end('end_date') }} as completed_month_end_date,
        count(*) as completion_count
    from {{ ref('int_reablement__episodes') }}
    where is_completed
    group by
        council_code,
        {{ financial_year('end_date') }},
        {{ financial_period('end_date') }},
        {{ month_end('end_date') }}
),

completions_by_month_end as (
    select
        month_ends.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.first_month_end_date,
        sum(completions.completion_count) filter (
            where completions.completed_month_end_date = month_ends.month_end_date
        ) as completion_count,
        sum(completions.completion_count) filter (
            where completions.financial_year = month_ends.financial_year
        ) as completion_to_date_count,
        sum(completions.completion_count) filter (
            where completions.financial_year = '{{ var("reablement_base_year") }}'
        ) as base_year_completion_to_date_count
    from month_ends
    left join completions
        on
            month_ends.council_code = completions.council_code
            and month_ends.period_number >= completions.period_number
    group by
        month_ends.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.first_month_end_date
),

-- A base year that the extracts do not hold is unknown, not a year without completions.
completions_with_base as (
    select
        council_code,
        month_end_date,
        financial_year,
        period_number,
        coalesce(completion_count, 0) as completion_count,
        coalesce(completion_to_date_count, 0) as completion_to_date_count,
        case
            when first_month_end_date < make_date({{ var('reablement_base_year')[:4] }}, 5, 1)
                then coalesce(base_year_completion_to_date_count, 0)
        end as base_year_completion_to_date_count
    from completions_by_month_end
)

select
    {{ publication_id() }} as publication_id,
    council_code,
    month_end_date as period_end_date,
    financial_year,
    period_number,
    completion_count::bigint as completion_count,
    completion_to_date_count::bigint as completion_to_date_count,
    '{{ var("reablement_base_year") }}' as base_financial_year,
    base_year_completion_to_date_count::bigint as base_year_completion_to_date_count,
    (completion_to_date_count - base_year_completion_to_date_count)::bigint as additional_completion_count,
    {{ as_at() }} as as_at_date
from completions_with_base
