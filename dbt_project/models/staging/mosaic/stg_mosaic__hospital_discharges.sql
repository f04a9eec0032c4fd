select
    council_code,
    referral_ref,
    person_ref,
    hospital_code,
    referred_date,
    ready_date,
    discharge_date,
    delayed_days,
    outcome_code,
    is_automatic
from {{ known_at(source('mosaic', 'hospital_discharges')) }}
