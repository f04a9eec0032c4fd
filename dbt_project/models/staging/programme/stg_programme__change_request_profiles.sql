select
    council_code,
    request_ref,
    financial_year,
    expected_gbp,
    revised_gbp,
    change_gbp
from {{ known_at(source('programme', 'change_request_profiles')) }}
