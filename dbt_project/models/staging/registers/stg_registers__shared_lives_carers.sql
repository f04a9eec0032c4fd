select
    council_code,
    carer_ref,
    household_ref,
    applied_date,
    assessment_start_date,
    assessment_end_date,
    assessment_outcome_code,
    resigned_date,
    resignation_reason_code
from {{ known_at(source('registers', 'shared_lives_carers')) }}
