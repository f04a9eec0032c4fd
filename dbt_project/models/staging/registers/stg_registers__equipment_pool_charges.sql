select
    council_code,
    charge_ref,
    financial_year,
    period_number,
    partner_code,
    charge_type_code,
    charge_gbp
from {{ known_at(source('registers', 'equipment_pool_charges')) }}
