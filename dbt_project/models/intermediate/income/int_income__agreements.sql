-- Offers and agreements of brokerage with their person. The last day is the one before it ceased, and at the latest the
-- day of death.

with agreements as (
    select
        council_code,
        agreement_ref,
        person_ref,
        eligible_from_date,
        signed_date,
        ceased_date,
        annual_fee_gbp
    from {{ ref('stg_registers__brokerage_agreements') }}
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
        birth_date,
        death_date
    from {{ ref('int_persons__people') }}
)

select
    agreements.council_code,
    agreements.agreement_ref,
    identities.person_id,
    people.person_id is not null as is_known_person,
    people.birth_date,
    agreements.eligible_from_date,
    agreements.signed_date,
    agreements.ceased_date,
    least(agreements.ceased_date - 1, people.death_date) as end_date,
    agreements.annual_fee_gbp
from agreements
left join identities
    on
        agreements.council_code = identities.council_code
        and agreements.person_ref = identities.person_ref
left join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
