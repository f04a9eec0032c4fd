-- What support to carers and safeguarding enquiries contribute to their measures.

with support_years as (
    select
        council_code,
        measure_id,
        person_id,
        first_date,
        carer_support_id
    from {{ ref('int_carers__support_years') }}
),

enquiries as (
    select
        council_code,
        enquiry_id,
        person_id,
        end_date,
        outcome_code
    from {{ ref('int_safeguarding__enquiries') }}
    where
        was_asked
        and outcome_code is not null
        and end_date is not null
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
        measure_id,
        first_date as counted_on_date,
        'fct_carer_support' as fact_name,
        carer_support_id as fact_key,
        person_id,
        null as team_ref,
        null as other_breakdown_value,
        1::numeric as numerator,
        null::numeric as denominator
    from support_years

    union all

    select
        council_code,
        'K053' as measure_id,
        end_date as counted_on_date,
        'fct_safeguarding_enquiries' as fact_name,
        enquiry_id as fact_key,
        person_id,
        null as team_ref,
        null as other_breakdown_value,
        (outcome_code = 'fully_achieved')::integer as numerator,
        1 as denominator
    from enquiries
)

{{ contributions_on_the_day_counted() }}
