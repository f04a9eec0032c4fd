select
    {{ publication_id() }} as publication_id,
    council_code,
    agreement_ref as brokerage_agreement_id,
    person_id,
    eligible_from_date,
    signed_date,
    ceased_date,
    end_date,
    annual_fee_gbp,
    eligible_from_date <= {{ as_at() }} and (end_date is null or end_date >= {{ as_at() }}) as is_eligible,
    coalesce(signed_date <= {{ as_at() }}, false) and (end_date is null or end_date >= {{ as_at() }}) as is_in_force
from {{ ref('int_income__agreements') }}
