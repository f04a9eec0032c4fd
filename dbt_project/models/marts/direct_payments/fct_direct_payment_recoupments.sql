select
    {{ publication_id() }} as publication_id,
    council_code,
    recoupment_id,
    account_ref,
    account_type_code,
    person_id,
    recouped_date,
    {{ financial_year('recouped_date') }} as financial_year,
    {{ financial_period('recouped_date') }} as period_number,
    recouped_gbp,
    reason_code
from {{ ref('int_direct_payments__recoupments') }}
