with contacts as (
    select
        council_code,
        contact_id,
        contact_ref,
        person_id,
        contact_date,
        channel_code,
        outcome_code,
        is_resolved_at_first_contact,
        is_resolved_in_call,
        is_carer,
        is_self_funder,
        age_band,
        step_ref,
        team_ref
    from {{ ref('int_front_door__contacts') }}
),

assessments as (
    select
        council_code,
        assessment_id,
        step_ref,
        person_id,
        assessment_date
    from {{ ref('int_front_door__assessments') }}
),

first_assessments as (
    select distinct on (contacts.council_code, contacts.contact_id)
        contacts.council_code,
        contacts.contact_id,
        assessments.assessment_id,
        assessments.assessment_date - contacts.contact_date as days_to_assessment
    from contacts
    inner join assessments
        on
            contacts.council_code = assessments.council_code
            and contacts.person_id = assessments.person_id
            and assessments.assessment_date
            between contacts.contact_date
            and contacts.contact_date + {{ var('contact_assessment_days') }}
    order by
        contacts.council_code asc,
        contacts.contact_id asc,
        assessments.assessment_date asc,
        assessments.step_ref asc
)

select
    {{ publication_id() }} as publication_id,
    contacts.council_code,
    contacts.contact_id,
    contacts.contact_ref,
    contacts.person_id,
    contacts.contact_date,
    {{ financial_year('contacts.contact_date') }} as financial_year,
    {{ financial_period('contacts.contact_date') }} as period_number,
    contacts.channel_code,
    contacts.outcome_code,
    contacts.is_resolved_at_first_contact,
    contacts.is_resolved_in_call,
    contacts.is_carer,
    contacts.is_self_funder,
    contacts.age_band,
    first_assessments.assessment_id,
    first_assessments.days_to_assessment,
    contacts.step_ref,
    contacts.team_ref
from contacts
left join first_assessments
    on
        contacts.council_code = first_assessments.council_code
        and contacts.contact_id = first_assessments.contact_id
