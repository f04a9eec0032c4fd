-- Assessments of needs: completed steps, one for each person they are about.

select
    council_code,
    step_ref || '-' || person_id as assessment_id,
    step_ref,
    person_id,
    activity_date as assessment_date,
    recorded_date,
    team_ref
from {{ ref('int_workflow__activities') }}
where activity_code = 'assessment'
