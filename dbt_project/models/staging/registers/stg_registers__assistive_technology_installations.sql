select
    council_code,
    installation_ref,
    person_ref,
    equipment_code,
    referred_date,
    installed_date,
    removed_date,
    avoided_weekly_gbp,
    person_id
from {{ known_at(source('registers', 'assistive_technology_installations')) }}
