-- Each person once, with what any of their records knows. The master's record is believed first, then the others by
-- number: a death is often noted on one of two records only.

with identities as (
    select
        council_code,
        person_ref,
        person_id,
        case when person_ref = master_person_ref then 1 else 2 end as order_of_belief
    from {{ ref('int_persons__identities') }}
),

persons as (
    select
        council_code,
        person_ref,
        birth_date,
        death_date,
        gender_code,
        home_area_code
    from {{ ref('stg_mosaic__persons') }}
),

believed as (
    select
        identities.council_code,
        identities.person_id,
        array_agg(persons.birth_date order by identities.order_of_belief, identities.person_ref)
        filter (where persons.birth_date is not null) as birth_dates,
        array_agg(persons.death_date order by identities.order_of_belief, identities.person_ref)
        filter (where persons.death_date is not null) as death_dates,
        array_agg(persons.gender_code order by identities.order_of_belief, identities.person_ref)
        filter (where persons.gender_code is not null) as gender_codes,
        array_agg(persons.home_area_code order by identities.order_of_belief, identities.person_ref)
        filter (where persons.home_area_code is not null) as home_area_codes,
        count(*)::integer as record_count
    from identities
    inner join persons
        on
            identities.council_code = persons.council_code
            and identities.person_ref = persons.person_ref
    group by
        identities.council_code,
        identities.person_id
)

select
    council_code,
    person_id,
    birth_dates[1] as birth_date,
    death_dates[1] as death_date,
    gender_codes[1] as gender_code,
    home_area_codes[1] as home_area_code,
    record_count
from believed
