-- Steps of every state that count as an activity, by person. The date answered is that of the question which dates
-- this type of step; where several forms of a step answer it, the latest form counts.

with workflow_steps as (
    select
        council_code,
        step_ref,
        subgroup_ref,
        step_type_ref,
        status_code,
        completed_date,
        team_ref
    from {{ ref('stg_mosaic__workflow_steps') }}
),

step_types as (
    select
        council_code,
        step_type_ref,
        activity_code,
        is_targeted_review,
        business_date_question
    from {{ ref('stg_mosaic__workflow_step_types') }}
    where activity_code <> 'other'
),

form_answers as (
    select
        council_code,
        step_ref,
        form_ref,
        question_code,
        date_answer
    from {{ ref('stg_mosaic__form_answers') }}
    where date_answer is not null
),

subgroup_subjects as (
    select
        council_code,
        subgroup_ref,
        person_ref
    from {{ ref('stg_mosaic__subgroup_subjects') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
),

people as (
    select
        council_code,
        person_id
    from {{ ref('int_persons__people') }}
),

-- After a merge a person may be a member under two numbers.
members as (
    select distinct
        subgroup_subjects.council_code,
        subgroup_subjects.subgroup_ref,
        people.person_id
    from subgroup_subjects
    inner join identities
        on
            subgroup_subjects.council_code = identities.council_code
            and subgroup_subjects.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
),

dated_steps as (
    select distinct on (workflow_steps.council_code, workflow_steps.step_ref)
        workflow_steps.council_code,
        workflow_steps.step_ref,
        workflow_steps.subgroup_ref,
        workflow_steps.status_code,
        step_types.activity_code,
        step_types.is_targeted_review,
        form_answers.date_answer as answered_date,
        workflow_steps.completed_date,
        workflow_steps.team_ref
    from workflow_steps
    inner join step_types
        on
            workflow_steps.council_code = step_types.council_code
            and workflow_steps.step_type_ref = step_types.step_type_ref
    left join form_answers
        on
            workflow_steps.council_code = form_answers.council_code
            and workflow_steps.step_ref = form_answers.step_ref
            and step_types.business_date_question = form_answers.question_code
    order by workflow_steps.council_code asc, workflow_steps.step_ref asc, form_answers.form_ref desc nulls last
)

select
    dated_steps.council_code,
    dated_steps.step_ref,
    members.person_id,
    dated_steps.status_code,
    dated_steps.activity_code,
    dated_steps.is_targeted_review,
    dated_steps.answered_date,
    dated_steps.completed_date,
    dated_steps.team_ref
from dated_steps
inner join members
    on
        dated_steps.council_code = members.council_code
        and dated_steps.subgroup_ref = members.subgroup_ref
