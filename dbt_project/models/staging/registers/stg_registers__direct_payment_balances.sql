select
    council_code,
    account_ref,
    balance_date,
    balance_gbp,
    contingency_gbp
from {{ known_at(source('registers', 'direct_payment_balances')) }}
