select
    council_code,
    report_date,
    programme_ref,
    previous_status_code,
    status_code,
    trend_code
from {{ known_at(source('programme', 'statuses')) }}
