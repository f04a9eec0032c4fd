select
    council_code,
    unit_ref,
    scheme_ref,
    scheme_name,
    partner_name,
    bedroom_count,
    opened_date,
    closed_date
from {{ known_at(source('registers', 'housing_units')) }}
