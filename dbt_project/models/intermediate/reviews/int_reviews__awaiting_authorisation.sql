-- Reviews that were held but count nowhere yet: the form says when, and the step is still started, which is how one
-- that awaits authorisation looks. A reopened step was authorised once and is being changed, so it is not one.

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
    answered_date as review_date,
    {{ as_at() }} - answered_date as waiting_days,
    team_ref
from {{ ref('int_workflow__steps') }}
where
    activity_code in ('planned_review', 'unplanned_review')
    and status_code = 'STARTED'
    and answered_date <= {{ as_at() }}
