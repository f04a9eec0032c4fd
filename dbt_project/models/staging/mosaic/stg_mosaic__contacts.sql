select
    council_code,
    contact_ref,
    person_ref,
    contact_date,
    channel_code,
    outcome_code,
    is_resolved_in_call,
    is_carer,
    is_self_funder,
    step_ref,
    team_ref
from {{ known_at(source('mosaic', 'contacts')) }}
