select
    council_code,
    recoupment_ref,
    account_ref,
    recouped_date,
    recouped_gbp,
    reason_code
from {{ known_at(source('registers', 'direct_payment_recoupments')) }}
