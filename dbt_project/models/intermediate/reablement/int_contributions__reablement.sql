-- What episodes, discharges and short-term services contribute to their measures.

with completed_episodes as (
    select
        council_code,
        episode_id,
        person_id,
        end_date,
        length_days
    from {{ ref('int_reablement__episodes') }}
    where is_completed
),

sequels as (
    select
        council_code,
        episode_id,
        independence_date,
        is_independent
    from {{ ref('int_reablement__sequels') }}
    where is_independent is not null
),

service_years as (
    select
        council_code,
        measure_id,
        person_id,
        first_date,
        short_term_episode_id,
        team_ref
    from {{ ref('int_reablement__service_years') }}
),

short_term_episodes as (
    select
        council_code,
        short_term_episode_id,
        person_id,
        end_date,
        planned_hours,
        contact_hours,
        team_ref
    from {{ ref('int_reablement__short_term_episodes') }}
    where
        service_code = 'reablement'
        and end_date is not null
        and planned_hours is not null
        and contact_hours is not null
),

services_after_discharge as (
    select
        council_code,
        discharge_id,
        person_id,
        discharge_date
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

packages_after_discharge as (
    select
        council_code,
        discharge_id,
        person_id,
        start_date,
        weekly_cost_gbp
    from {{ ref('int_hospital__packages_after') }}
    where weekly_cost_gbp is not null
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('int_persons__support_reasons') }}
),

events as (
    select
        completed_episodes.council_code,
        measures.measure_id,
        completed_episodes.end_date as counted_on_date,
        'fct_reablement_episodes' as fact_name,
        completed_episodes.episode_id as fact_key,
        completed_episodes.person_id,
        null as team_ref,
        null as other_breakdown_value,
        1::numeric as numerator,
        null::numeric as denominator
    from completed_episodes
    cross join (values ('K007'), ('K008')) as measures (measure_id)

    union all

    select
        council_code,
        'K009' as measure_id,
        end_date as counted_on_date,
        'fct_reablement_episodes' as fact_name,
        episode_id as fact_key,
        person_id,
        null as team_ref,
        null as other_breakdown_value,
        length_days as numerator,
        1 as denominator
    from completed_episodes

    union all

    select
        completed_episodes.council_code,
        'K012' as measure_id,
        sequels.independence_date as counted_on_date,
        'fct_reablement_episodes' as fact_name,
        completed_episodes.episode_id as fact_key,
        completed_episodes.person_id,
        null as team_ref,
        null as other_breakdown_value,
        sequels.is_independent::integer as numerator,
        1 as denominator
    from completed_episodes
    inner join sequels
        on
            completed_episodes.council_code = sequels.council_code
            and completed_episodes.episode_id = sequels.episode_id

    union all

    select
        council_code,
        measure_id,
        first_date as counted_on_date,
        'fct_short_term_episodes' as fact_name,
        short_term_episode_id as fact_key,
        person_id,
        team_ref,
        null as other_breakdown_value,
        1 as numerator,
        null as denominator
    from service_years

    union all

    select
        council_code,
        'K066' as measure_id,
        end_date as counted_on_date,
        'fct_short_term_episodes' as fact_name,
        short_term_episode_id as fact_key,
        person_id,
        team_ref,
        null as other_breakdown_value,
        contact_hours as numerator,
        planned_hours as denominator
    from short_term_episodes

    union all

    -- National definition: of people who were 65 or over when they left hospital.
    select
        services_after_discharge.council_code,
        'K010' as measure_id,
        homecomings.at_home_check_date as counted_on_date,
        'fct_hospital_discharges' as fact_name,
        services_after_discharge.discharge_id as fact_key,
        services_after_discharge.person_id,
        null as team_ref,
        null as other_breakdown_value,
        (homecomings.whereabouts_code = 'home')::integer as numerator,
        1 as denominator
    from services_after_discharge
    inner join homecomings
        on
            services_after_discharge.council_code = homecomings.council_code
            and services_after_discharge.discharge_id = homecomings.discharge_id
    inner join people
        on
            services_after_discharge.council_code = people.council_code
            and services_after_discharge.person_id = people.person_id
    where {{ age_band('people.birth_date', 'services_after_discharge.discharge_date') }} = '65+'

    union all

    select
        council_code,
        'K014' as measure_id,
        start_date as counted_on_date,
        'fct_hospital_discharges' as fact_name,
        discharge_id as fact_key,
        person_id,
        null as team_ref,
        null as other_breakdown_value,
        weekly_cost_gbp as numerator,
        1 as denominator
    from packages_after_discharge
)

{{ contributions_on_the_day_counted() }}
