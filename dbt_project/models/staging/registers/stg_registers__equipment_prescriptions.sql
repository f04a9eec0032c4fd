select
    council_code,
    prescription_ref,
    person_ref,
    item_code,
    prescriber_code,
    prescribed_date,
    delivered_date,
    collected_date,
    price_gbp,
    person_id
from {{ known_at(source('registers', 'equipment_prescriptions')) }}
