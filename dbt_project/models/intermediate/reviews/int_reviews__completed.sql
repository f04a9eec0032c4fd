-- Completed reviews, planned and unplanned.

select
    council_code,
    step_ref,
    person_id,
    case activity_code
        when 'planned_review' then 'planned'
        when 'unplanned_review' then 'unplanned'
    end as review_kind_code,
    activity_date as review_date,
    recorded_date,
    team_ref
from {{ ref('int_workflow__activities') }}
where activity_code in ('planned_review', 'unplanned_review')
