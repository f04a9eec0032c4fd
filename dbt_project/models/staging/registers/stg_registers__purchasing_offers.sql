select
    council_code,
    request_ref,
    provider_ref,
    element_ref,
    requested_date,
    offered_date,
    offered_weekly_gbp,
    outcome_code,
    agreed_weekly_gbp
from {{ known_at(source('registers', 'purchasing_offers')) }}
