select
    council_code,
    account_ref,
    person_ref,
    element_ref,
    account_type_code,
    opened_date,
    closed_date,
    person_id
from {{ known_at(source('registers', 'direct_payment_accounts')) }}
