-- Contacts with the person they were about, where one is known: callers need not give a name, and a number that is not
-- in the persons extract names nobody.

with contacts as (
    select
        council_code,
        contact_ref,
        person_ref,
        contact_date,
        channel_code,
        outcome_code,
        is_resolved_in_call,
        is_carer,
        is_self_funder,
        step_ref,
        team_ref
    from {{ ref('stg_mosaic__contacts') }}
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
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
)

select
    contacts.council_code,
    contacts.contact_ref,
    contacts.contact_ref::text as contact_id,
    people.person_id,
    contacts.contact_date,
    contacts.channel_code,
    contacts.outcome_code,
    contacts.outcome_code = any(array{{ var('first_contact_outcomes') }}) as is_resolved_at_first_contact,
    contacts.is_resolved_in_call,
    contacts.is_carer,
    contacts.is_self_funder,
    {{ age_band('people.birth_date', 'contacts.contact_date') }} as age_band,
    contacts.step_ref,
    contacts.team_ref
from contacts
left join identities
    on
        contacts.council_code = identities.council_code
        and contacts.person_ref = identities.person_ref
left join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
