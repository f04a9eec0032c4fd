select
    {{ publication_id() }} as publication_id,
    council_code,
    financial_year,
    period_number,
    line_number,
    line_code,
    line_name,
    role_code,
    amount_gbp,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'council_code', ['fct_ledger_lines'], period_end('financial_year', 'period_number')
    ) }} as data_status_code
from {{ ref('int_ledger__cost_bridge') }}
