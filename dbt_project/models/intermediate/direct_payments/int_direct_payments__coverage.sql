with packages as (
    select
        council_code,
        recorded_end_date
    from {{ ref('int_direct_payments__packages') }}
    where recorded_end_date is not null
),

balances as (
    select
        council_code,
        balance_date
    from {{ ref('stg_registers__direct_payment_balances') }}
),

recoupments as (
    select
        council_code,
        recouped_date
    from {{ ref('stg_registers__direct_payment_recoupments') }}
),

register_dates as (
    select
        council_code,
        min(balance_date) as first_date
    from balances
    group by council_code

    union all

    select
        council_code,
        min(recouped_date) as first_date
    from recoupments
    group by council_code
)

select
    council_code,
    'direct_payments' as dataset_code,
    date_trunc('month', min(recorded_end_date)::timestamp)::date as held_from_date
from packages
group by council_code

union all

select
    council_code,
    'direct_payment_recoupments' as dataset_code,
    date_trunc('month', min(first_date)::timestamp)::date as held_from_date
from register_dates
group by council_code
