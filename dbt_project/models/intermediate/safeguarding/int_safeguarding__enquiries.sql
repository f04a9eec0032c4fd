-- Safeguarding enquiries about people who are known, without those that end before they start, which is how a void one
-- looks.

with safeguarding_enquiries as (
    select
        council_code,
        enquiry_ref,
        person_ref,
        concern_date,
        start_date,
        end_date,
        was_asked,
        outcome_code
    from {{ ref('stg_mosaic__safeguarding_enquiries') }}
    where end_date is null or end_date >= start_date
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
)

select
    safeguarding_enquiries.council_code,
    safeguarding_enquiries.enquiry_ref,
    safeguarding_enquiries.enquiry_ref::text as enquiry_id,
    people.person_id,
    safeguarding_enquiries.concern_date,
    safeguarding_enquiries.start_date,
    safeguarding_enquiries.end_date,
    safeguarding_enquiries.was_asked,
    safeguarding_enquiries.outcome_code
from safeguarding_enquiries
inner join identities
    on
        safeguarding_enquiries.council_code = identities.council_code
        and safeguarding_enquiries.person_ref = identities.person_ref
inner join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
