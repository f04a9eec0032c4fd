-- The long-term package that began at a discharge: support that went on through the hospital stay did not, so a package
-- is the first day of an unbroken spell of support.

with discharges as (
    select
        council_code,
        referral_ref,
        discharge_id,
        person_id,
        discharge_date
    from {{ ref('int_hospital__referrals') }}
    where discharge_date is not null
),

long_term_spells as (
    select
        council_code,
        person_id,
        start_date
    from {{ ref('int_support__long_term_spells') }}
),

long_term_services as (
    select
        council_code,
        person_id,
        start_date,
        coalesce(end_date, 'infinity') as end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where is_long_term
),

discharge_of_each_spell as (
    select distinct on (long_term_spells.council_code, long_term_spells.person_id, long_term_spells.start_date)
        discharges.council_code,
        discharges.discharge_id,
        discharges.person_id,
        long_term_spells.start_date
    from long_term_spells
    inner join discharges
        on
            long_term_spells.council_code = discharges.council_code
            and long_term_spells.person_id = discharges.person_id
            and long_term_spells.start_date
            between discharges.discharge_date
            and discharges.discharge_date + {{ var('discharge_package_days') }}
    order by
        long_term_spells.council_code asc,
        long_term_spells.person_id asc,
        long_term_spells.start_date asc,
        discharges.discharge_date desc,
        discharges.referral_ref asc
),

first_spells as (
    select distinct on (council_code, discharge_id)
        council_code,
        discharge_id,
        person_id,
        start_date
    from discharge_of_each_spell
    order by council_code, discharge_id, start_date
)

select
    first_spells.council_code,
    first_spells.discharge_id,
    first_spells.person_id,
    first_spells.start_date,
    count(*)::integer as service_row_count,
    -- Unknown when any part has no price.
    case
        when count(*) = count(long_term_services.weekly_cost_gbp) then sum(long_term_services.weekly_cost_gbp)
    end::numeric(16, 2) as weekly_cost_gbp
from first_spells
inner join long_term_services
    on
        first_spells.council_code = long_term_services.council_code
        and first_spells.person_id = long_term_services.person_id
        and first_spells.start_date between long_term_services.start_date and long_term_services.end_date
group by
    first_spells.council_code,
    first_spells.discharge_id,
    first_spells.person_id,
    first_spells.start_date
