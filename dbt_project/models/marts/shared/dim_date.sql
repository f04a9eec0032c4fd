-- From 1 April 2000, so that long-standing services find their dates, to the end of the fifth financial year ahead,
-- so that targets of coming years do too.

with days as (
    select day::date as calendar_date
    from generate_series(
        timestamp '2000-04-01',
        {{ financial_year_start(as_at()) }} + interval '6 years' - interval '1 day',
        interval '1 day'
    ) as series (day)
)

select
    {{ publication_id() }} as publication_id,
    'all' as council_code,
    calendar_date,
    {{ financial_year('calendar_date') }} as financial_year,
    {{ financial_period('calendar_date') }} as period_number,
    (({{ financial_period('calendar_date') }} + 2) / 3)::integer as quarter_number,
    to_char(calendar_date, 'FMMonth YYYY') as month_label,
    {{ month_end('calendar_date') }} as month_end_date,
    calendar_date = {{ month_end('calendar_date') }} as is_month_end,
    {{ financial_year_start('calendar_date') }} as year_start_date
from days
