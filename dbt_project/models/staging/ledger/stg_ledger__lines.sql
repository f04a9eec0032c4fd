select
    council_code,
    journal_ref,
    line_number,
    posting_date,
    financial_year,
    period_number,
    cost_centre_code,
    subjective_code,
    amount_gbp,
    source_system_code
from {{ known_at(source('ledger', 'lines')) }}
