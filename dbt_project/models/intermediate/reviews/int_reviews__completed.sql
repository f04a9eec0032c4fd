-- Completed reviews. A reopened step keeps an old completion date but is not done, so the status decides, not the date.

with workflow_steps as (
    select
        council_code,
        step_ref,
        person_ref,
        step_type_ref,
        completed_date,
        business_date,
        team_ref
    from {{ ref('stg_mosaic__workflow_steps') }}
    where status_code = 'COMPLETED'
),

review_step_types as (
    select
        council_code,
        step_type_ref,
        case activity_code
            when 'planned_review' then 'planned'
            when 'unplanned_review' then 'unplanned'
        end as review_kind_code
    from {{ ref('stg_mosaic__workflow_step_types') }}
    where activity_code in ('planned_review', 'unplanned_review')
),

persons as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('stg_mosaic__persons') }}
)

select
    workflow_steps.council_code,
    workflow_steps.step_ref,
    persons.person_id,
    review_step_types.review_kind_code,
    coalesce(workflow_steps.business_date, workflow_steps.completed_date) as review_date,
    workflow_steps.completed_date as recorded_date,
    workflow_steps.team_ref
from workflow_steps
inner join review_step_types
    on
        workflow_steps.council_code = review_step_types.council_code
        and workflow_steps.step_type_ref = review_step_types.step_type_ref
inner join persons
    on
        workflow_steps.council_code = persons.council_code
        and workflow_steps.person_ref = persons.person_ref
where coalesce(workflow_steps.business_date, workflow_steps.completed_date) is not null
