select
    council_code,
    journal_ref,
    journal_type_code,
    posting_date,
    financial_year,
    period_number,
    reverses_journal_ref,
    line_count,
    total_gbp,
    source_system_code
from {{ known_at(source('ledger', 'journals')) }}
