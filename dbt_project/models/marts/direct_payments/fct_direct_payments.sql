select
    {{ publication_id() }} as publication_id,
    council_code,
    direct_payment_id,
    person_id,
    direct_payment_ref,
    element_ref,
    start_date,
    end_date,
    employs_personal_assistant,
    is_on_prepaid_card,
    calculated_weekly_gbp,
    contingency_gbp,
    {{ age_band('birth_date', 'start_date') }} as age_band
from {{ ref('int_direct_payments__packages') }}
