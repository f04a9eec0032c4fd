-- Where people were a number of days after their discharge. Not known before the day is over: an open question is never
-- taken for a success.

with discharges as (
    select
        council_code,
        discharge_id,
        person_id,
        discharge_date + {{ var('at_home_after_days') }} as at_home_check_date
    from {{ ref('int_hospital__referrals') }}
    where
        discharge_date is not null
        and discharge_date + {{ var('at_home_after_days') }} <= {{ as_at() }}
),

services as (
    select
        council_code,
        person_id,
        service_type_code,
        start_date,
        end_date
    from {{ ref('int_support__services') }}
),

care_homes as (
    select service_type_code
    from {{ ref('setting_hierarchy') }}
    where is_care_home
),

-- Who leaves hospital on the day is no longer there; a service includes its last day.
stays_elsewhere as (
    select
        council_code,
        person_id,
        2 as place_order,
        referred_date as start_date,
        coalesce(discharge_date - 1, 'infinity') as end_date
    from {{ ref('int_hospital__referrals') }}

    union all

    select
        services.council_code,
        services.person_id,
        3 as place_order,
        services.start_date,
        coalesce(services.end_date, 'infinity') as end_date
    from services
    inner join care_homes on services.service_type_code = care_homes.service_type_code

    union all

    select
        council_code,
        person_id,
        4 as place_order,
        start_date,
        coalesce(end_date, 'infinity') as end_date
    from {{ ref('int_reablement__short_term_episodes') }}
    where service_code = 'rehabilitation'
),

people as (
    select
        council_code,
        person_id,
        death_date
    from {{ ref('int_persons__people') }}
),

whereabouts as (
    select
        discharges.council_code,
        discharges.discharge_id,
        discharges.at_home_check_date,
        min(
            case
                when people.death_date <= discharges.at_home_check_date then 1
                else stays_elsewhere.place_order
            end
        ) as place_order
    from discharges
    inner join people
        on
            discharges.council_code = people.council_code
            and discharges.person_id = people.person_id
    left join stays_elsewhere
        on
            discharges.council_code = stays_elsewhere.council_code
            and discharges.person_id = stays_elsewhere.person_id
            and discharges.at_home_check_date between stays_elsewhere.start_date and stays_elsewhere.end_date
    group by
        discharges.council_code,
        discharges.discharge_id,
        discharges.at_home_check_date
)

select
    council_code,
    discharge_id,
    at_home_check_date,
    case place_order
        when 1 then 'died'
        when 2 then 'hospital'
        when 3 then 'care_home'
        when 4 then 'rehabilitation'
        else 'home'
    end as whereabouts_code
from whereabouts
