-- What contacts and assessments contribute to their measures.

with contacts as (
    select
        council_code,
        contact_id,
        person_id,
        contact_date,
        channel_code,
        is_resolved_at_first_contact,
        is_resolved_in_call,
        team_ref
    from {{ ref('int_front_door__contacts') }}
),

contact_years as (
    select
        council_code,
        measure_id,
        person_id,
        contact_date,
        contact_id,
        team_ref
    from {{ ref('int_front_door__contact_years') }}
),

assessments as (
    select
        council_code,
        assessment_id,
        person_id,
        assessment_date,
        team_ref
    from {{ ref('int_front_door__assessments') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('int_persons__support_reasons') }}
),

events as (
    select
        council_code,
        'K034' as measure_id,
        assessment_date as counted_on_date,
        'fct_assessments' as fact_name,
        assessment_id as fact_key,
        person_id,
        team_ref,
        null as other_breakdown_value,
        1::numeric as numerator,
        null::numeric as denominator
    from assessments

    union all

    select
        council_code,
        'K035' as measure_id,
        contact_date as counted_on_date,
        'fct_contacts' as fact_name,
        contact_id as fact_key,
        person_id,
        team_ref,
        channel_code as other_breakdown_value,
        is_resolved_at_first_contact::integer as numerator,
        1 as denominator
    from contacts
    where is_resolved_at_first_contact is not null

    union all

    select
        council_code,
        'K036' as measure_id,
        contact_date as counted_on_date,
        'fct_contacts' as fact_name,
        contact_id as fact_key,
        person_id,
        team_ref,
        null as other_breakdown_value,
        is_resolved_in_call::integer as numerator,
        1 as denominator
    from contacts
    where
        channel_code = 'telephone'
        and is_resolved_in_call is not null

    union all

    select
        council_code,
        measure_id,
        contact_date as counted_on_date,
        'fct_contacts' as fact_name,
        contact_id as fact_key,
        person_id,
        team_ref,
        null as other_breakdown_value,
        1 as numerator,
        null as denominator
    from contact_years
)

{{ contributions_on_the_day_counted() }}
