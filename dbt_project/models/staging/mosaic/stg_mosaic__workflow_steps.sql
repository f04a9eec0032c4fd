select
    council_code,
    step_ref,
    subgroup_ref,
    step_type_ref,
    status_code,
    incoming_date,
    started_date,
    completed_date,
    cancelled_date,
    worker_ref,
    team_ref
from {{ known_at(source('mosaic', 'workflow_steps')) }}
