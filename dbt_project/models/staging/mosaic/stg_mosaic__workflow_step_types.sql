select
    council_code,
    step_type_ref,
    step_type_name,
    activity_code,
    is_targeted_review,
    business_date_question
from {{ known_at(source('mosaic', 'workflow_step_types')) }}
