select
    council_code,
    step_type_ref,
    step_type_name,
    activity_code
from {{ known_at(source('mosaic', 'workflow_step_types')) }}
