-- Referrals by hospitals of people who are known. A withdrawn referral says nothing of where the person was.

with hospital_discharges as (
    select
        council_code,
        referral_ref,
        person_ref,
        hospital_code,
        referred_date,
        ready_date,
        discharge_date,
        delayed_days,
        outcome_code,
        is_automatic
    from {{ ref('stg_mosaic__hospital_discharges') }}
    where outcome_code is distinct from 'withdrawn'
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
    hospital_discharges.council_code,
    hospital_discharges.referral_ref,
    hospital_discharges.referral_ref::text as discharge_id,
    people.person_id,
    hospital_discharges.hospital_code,
    hospital_discharges.referred_date,
    hospital_discharges.ready_date,
    hospital_discharges.discharge_date,
    hospital_discharges.delayed_days,
    hospital_discharges.outcome_code,
    hospital_discharges.is_automatic
from hospital_discharges
inner join identities
    on
        hospital_discharges.council_code = identities.council_code
        and hospital_discharges.person_ref = identities.person_ref
inner join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
