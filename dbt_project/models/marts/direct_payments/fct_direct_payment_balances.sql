select
    {{ publication_id() }} as publication_id,
    council_code,
    account_ref || '-' || to_char(balance_date, 'YYYYMMDD') as balance_id,
    account_ref,
    balance_date,
    balance_gbp,
    contingency_gbp,
    greatest(balance_gbp - contingency_gbp, 0)::numeric(16, 2) as recoupable_gbp
from {{ ref('stg_registers__direct_payment_balances') }}
