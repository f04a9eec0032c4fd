-- What the packages in force would cost in each month by their weekly cost: all changes of the daily rate in order, and
-- the days between them. One pass over the rows, however long they run. Direct payments apart: no provider is paid.

with services as (
    select
        council_code,
        service_type_code = 'direct_payment' as is_direct_payment,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where weekly_cost_gbp <> 0
),

payments as (
    select
        council_code,
        min(period_start_date) as first_date,
        max(period_end_date) as last_date
    from {{ ref('stg_finance__provider_payments') }}
    group by council_code
),

months as (
    select
        payments.council_code,
        payees.is_direct_payment,
        first_days.month_start_at::date as month_start_date
    from payments
    cross join (values (false), (true)) as payees (is_direct_payment)
    cross join generate_series(
        date_trunc('month', payments.first_date::timestamp),
        payments.last_date::timestamp + interval '1 day',
        interval '1 month'
    ) as first_days (month_start_at)
),

rate_changes as (
    select
        services.council_code,
        services.is_direct_payment,
        greatest(services.start_date, date_trunc('month', payments.first_date::timestamp)::date) as change_date,
        services.weekly_cost_gbp as change_gbp
    from services
    inner join payments on services.council_code = payments.council_code
    where services.end_date is null or services.end_date >= date_trunc('month', payments.first_date::timestamp)::date

    union all

    select
        services.council_code,
        services.is_direct_payment,
        services.end_date + 1 as change_date,
        -services.weekly_cost_gbp as change_gbp
    from services
    inner join payments on services.council_code = payments.council_code
    where services.end_date >= date_trunc('month', payments.first_date::timestamp)::date

    union all

    -- A month's first day changes nothing, but no span may cross it.
    select
        council_code,
        is_direct_payment,
        month_start_date as change_date,
        0 as change_gbp
    from months
),

changes_by_day as (
    select
        council_code,
        is_direct_payment,
        change_date,
        sum(change_gbp) as change_gbp
    from rate_changes
    group by
        council_code,
        is_direct_payment,
        change_date
),

spans as (
    select
        council_code,
        is_direct_payment,
        change_date as start_date,
        lead(change_date) over later_changes - 1 as end_date,
        sum(change_gbp) over later_changes as weekly_gbp
    from changes_by_day
    window later_changes as (partition by council_code, is_direct_payment order by change_date)
)

select
    spans.council_code,
    spans.is_direct_payment,
    date_trunc('month', spans.start_date::timestamp)::date as month_start_date,
    round(sum({{ cost_of_days('spans.weekly_gbp', 'spans.start_date', 'spans.end_date') }}), 2)::numeric(18, 2)
        as planned_gbp
from spans
inner join months
    on
        spans.council_code = months.council_code
        and spans.is_direct_payment = months.is_direct_payment
        and date_trunc('month', spans.start_date::timestamp)::date = months.month_start_date
inner join payments
    on
        spans.council_code = payments.council_code
        and spans.start_date <= payments.last_date
where spans.end_date is not null
group by
    spans.council_code,
    spans.is_direct_payment,
    date_trunc('month', spans.start_date::timestamp)::date
