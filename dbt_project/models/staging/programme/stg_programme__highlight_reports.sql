select
    council_code,
    report_date,
    project_ref,
    report_name,
    previous_status_code,
    status_code,
    status_basis_code,
    status_words,
    trend_code
from {{ known_at(source('programme', 'highlight_reports')) }}
