select
    council_code,
    direct_payment_ref,
    person_ref,
    element_ref,
    start_date,
    end_date,
    employs_personal_assistant,
    is_on_prepaid_card,
    calculated_weekly_gbp,
    contingency_gbp
from {{ known_at(source('mosaic', 'direct_payments')) }}
