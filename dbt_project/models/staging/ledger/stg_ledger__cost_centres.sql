select
    council_code,
    cost_centre_code,
    cost_centre_name,
    support_reason_code,
    funding_source_code,
    open_from_date,
    closed_from_date
from {{ known_at(source('ledger', 'cost_centres')) }}
