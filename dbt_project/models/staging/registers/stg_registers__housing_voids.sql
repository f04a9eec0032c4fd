select
    council_code,
    unit_ref,
    start_date,
    end_date,
    reason_code,
    weekly_charge_gbp
from {{ known_at(source('registers', 'housing_voids')) }}
