with recent_months as (
    select month_start::date as month_start_date
    from generate_series(
        date_trunc('month', {{ as_at() }}::timestamp + interval '1 day')
        - interval '{{ var("month_end_window") }} months',
        date_trunc('month', {{ as_at() }}::timestamp + interval '1 day') - interval '1 month',
        interval '1 month'
    ) as months (month_start)
)

select
    {{ month_end('month_start_date') }} as month_end_date,
    {{ financial_year_start('month_start_date') }} as year_start_date,
    {{ financial_year('month_start_date') }} as financial_year,
    {{ financial_period('month_start_date') }} as period_number,
    month_start_date = max(month_start_date) over () as is_latest
from recent_months
