with enquiries as (
    select
        council_code,
        enquiry_id,
        enquiry_ref,
        person_id,
        concern_date,
        start_date,
        end_date,
        was_asked,
        outcome_code
    from {{ ref('int_safeguarding__enquiries') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
)

select
    {{ publication_id() }} as publication_id,
    enquiries.council_code,
    enquiries.enquiry_id,
    enquiries.enquiry_ref,
    enquiries.person_id,
    enquiries.concern_date,
    enquiries.start_date,
    enquiries.end_date,
    enquiries.was_asked,
    enquiries.outcome_code,
    {{ age_band('people.birth_date', 'enquiries.start_date') }} as age_band
from enquiries
inner join people
    on
        enquiries.council_code = people.council_code
        and enquiries.person_id = people.person_id
