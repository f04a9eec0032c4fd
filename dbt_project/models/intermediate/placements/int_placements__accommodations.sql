-- Where a person lives by the accommodation status. Statuses overlap where two records of a person were merged.

with accommodations as (
    select
        council_code,
        person_ref,
        start_date,
        end_date,
        accommodation_code
    from {{ ref('stg_mosaic__accommodations') }}
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

statuses as (
    select
        accommodations.council_code,
        people.person_id,
        accommodations.accommodation_code,
        accommodations.start_date as recorded_start_date,
        accommodations.start_date,
        accommodations.end_date
    from accommodations
    inner join identities
        on
            accommodations.council_code = identities.council_code
            and accommodations.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
    where
        accommodations.end_date is null
        or accommodations.end_date >= accommodations.start_date
),

statuses_in_force as (
    {{ latest_begun('statuses', ['accommodation_code', 'recorded_start_date'], 'accommodation_code asc') }}
)

select
    council_code,
    person_id || '-' || to_char(start_date, 'YYYYMMDD') as accommodation_id,
    person_id,
    accommodation_code,
    accommodation_code in ('own_home', 'with_family', 'supported_accommodation', 'shared_lives')
        as is_own_home_or_family,
    start_date,
    end_date,
    recorded_start_date
from statuses_in_force
