select
    council_code,
    assessment_ref,
    person_ref,
    assessment_type_code,
    requested_date,
    completed_date,
    effective_date,
    end_date,
    weekly_contribution_gbp,
    is_full_cost
from {{ known_at(source('mosaic', 'financial_assessments')) }}
