-- The one primary support reason of a person over time. Reasons overlap where nobody ended the old one and where two
-- records of a person were merged.

with service_user_groups as (
    select
        council_code,
        person_ref,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('stg_mosaic__service_user_groups') }}
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

reasons as (
    select
        service_user_groups.council_code,
        people.person_id,
        service_user_groups.support_reason_code,
        service_user_groups.start_date,
        service_user_groups.end_date
    from service_user_groups
    inner join identities
        on
            service_user_groups.council_code = identities.council_code
            and service_user_groups.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
    where
        service_user_groups.end_date is null
        or service_user_groups.end_date >= service_user_groups.start_date
),

reasons_in_force as (
    {{ latest_begun('reasons', ['support_reason_code'], 'support_reason_code asc') }}
),

reasons_with_previous as (
    select
        *,
        lag(support_reason_code) over (partition by council_code, person_id order by start_date)
            as previous_support_reason_code,
        lag(end_date) over (partition by council_code, person_id order by start_date) as previous_end_date
    from reasons_in_force
),

reasons_with_first as (
    select
        *,
        coalesce(
            previous_support_reason_code <> support_reason_code or previous_end_date + 1 <> start_date,
            true
        ) as starts_reason
    from reasons_with_previous
),

reasons_with_number as (
    select
        *,
        count(*) filter (where starts_reason) over (partition by council_code, person_id order by start_date)
            as reason_number
    from reasons_with_first
)

select
    council_code,
    person_id,
    support_reason_code,
    min(start_date) as start_date,
    nullif(max(coalesce(end_date, 'infinity')), 'infinity') as end_date
from reasons_with_number
group by
    council_code,
    person_id,
    support_reason_code,
    reason_number
