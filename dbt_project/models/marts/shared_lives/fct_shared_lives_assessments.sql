select
    {{ publication_id() }} as publication_id,
    council_code,
    assessment_id,
    household_id,
    applied_date,
    assessment_start_date,
    assessment_end_date,
    assessment_outcome_code,
    assessment_end_date - assessment_start_date + 1 as assessment_days
from {{ ref('int_shared_lives__assessments') }}
