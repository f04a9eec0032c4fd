-- Completed reviews, planned and unplanned.

with activities as (
    select
        council_code,
        step_ref,
        person_id,
        activity_code,
        is_targeted_review,
        activity_date,
        recorded_date,
        team_ref
    from {{ ref('int_workflow__activities') }}
    where activity_code in ('planned_review', 'unplanned_review')
)

select
    council_code,
    step_ref || '-' || person_id as review_id,
    step_ref,
    person_id,
    case activity_code
        when 'planned_review' then 'planned'
        when 'unplanned_review' then 'unplanned'
    end as review_kind_code,
    is_targeted_review,
    activity_date as review_date,
    recorded_date,
    team_ref
from activities
