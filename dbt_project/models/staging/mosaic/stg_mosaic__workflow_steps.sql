select
    council_code,
    step_ref,
    person_ref,
    step_type_ref,
    status_code,
    incoming_date,
    started_date,
    completed_date,
    cancelled_date,
    business_date,
    team_ref
from {{ known_at(source('mosaic', 'workflow_steps')) }}
