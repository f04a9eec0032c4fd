select
    council_code,
    break_ref,
    person_ref,
    service_code,
    start_date,
    end_date,
    has_financial_assessment,
    charge_gbp,
    person_id
from {{ known_at(source('registers', 'carers_breaks')) }}
