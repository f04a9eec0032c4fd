select
    council_code,
    report_date,
    report_name,
    row_name,
    period,
    amount_gbp,
    amount_as_printed,
    scope_note
from {{ known_at(source('programme', 'reported_totals')) }}
