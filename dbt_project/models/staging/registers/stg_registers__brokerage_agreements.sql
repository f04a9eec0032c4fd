select
    council_code,
    agreement_ref,
    person_ref,
    eligible_from_date,
    signed_date,
    ceased_date,
    annual_fee_gbp,
    person_id
from {{ known_at(source('registers', 'brokerage_agreements')) }}
