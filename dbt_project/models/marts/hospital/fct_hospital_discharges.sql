with referrals as (
    select
        council_code,
        discharge_id,
        referral_ref,
        person_id,
        hospital_code,
        referred_date,
        ready_date,
        discharge_date,
        delayed_days,
        outcome_code,
        is_automatic
    from {{ ref('int_hospital__referrals') }}
    where discharge_date is not null
),

services_after as (
    select
        council_code,
        discharge_id,
        short_term_episode_id,
        service_code
    from {{ ref('int_hospital__services_after') }}
),

homecomings as (
    select
        council_code,
        discharge_id,
        at_home_check_date,
        whereabouts_code
    from {{ ref('int_hospital__homecomings') }}
),

packages_after as (
    select
        council_code,
        discharge_id,
        start_date,
        service_row_count,
        weekly_cost_gbp
    from {{ ref('int_hospital__packages_after') }}
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
    referrals.council_code,
    referrals.discharge_id,
    referrals.referral_ref,
    referrals.person_id,
    referrals.hospital_code,
    referrals.referred_date,
    referrals.ready_date,
    referrals.discharge_date,
    {{ financial_year('referrals.discharge_date') }} as financial_year,
    {{ financial_period('referrals.discharge_date') }} as period_number,
    referrals.delayed_days,
    referrals.outcome_code,
    referrals.is_automatic,
    {{ age_band('people.birth_date', 'referrals.discharge_date') }} as age_band,
    services_after.service_code as short_term_service_code,
    services_after.short_term_episode_id,
    homecomings.at_home_check_date,
    homecomings.whereabouts_code,
    homecomings.whereabouts_code = 'home' as is_at_home,
    packages_after.start_date as package_start_date,
    packages_after.service_row_count as package_service_row_count,
    packages_after.weekly_cost_gbp as package_weekly_cost_gbp
from referrals
inner join people
    on
        referrals.council_code = people.council_code
        and referrals.person_id = people.person_id
left join services_after
    on
        referrals.council_code = services_after.council_code
        and referrals.discharge_id = services_after.discharge_id
left join homecomings
    on
        referrals.council_code = homecomings.council_code
        and referrals.discharge_id = homecomings.discharge_id
left join packages_after
    on
        referrals.council_code = packages_after.council_code
        and referrals.discharge_id = packages_after.discharge_id
