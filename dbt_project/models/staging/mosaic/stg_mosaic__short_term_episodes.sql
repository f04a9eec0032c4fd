select
    council_code,
    episode_ref,
    person_ref,
    service_code,
    source_code,
    referral_date,
    discharge_date,
    start_date,
    end_date,
    end_reason_code,
    outcome_code,
    planned_hours,
    contact_hours,
    team_ref
from {{ known_at(source('mosaic', 'short_term_episodes')) }}
