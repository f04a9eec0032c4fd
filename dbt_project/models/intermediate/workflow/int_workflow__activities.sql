-- What was done with whom, and when it took place. A reopened step keeps an old completion date but is not done, so the
-- status decides, not the date. The form's date comes before the day of typing in.

with steps as (
    select
        council_code,
        step_ref,
        person_id,
        status_code,
        activity_code,
        is_targeted_review,
        answered_date,
        completed_date,
        team_ref
    from {{ ref('int_workflow__steps') }}
)

select
    council_code,
    step_ref,
    person_id,
    activity_code,
    is_targeted_review,
    coalesce(answered_date, completed_date) as activity_date,
    completed_date as recorded_date,
    team_ref
from steps
where
    status_code = 'COMPLETED'
    and (answered_date is not null or completed_date is not null)
