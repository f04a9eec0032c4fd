-- The short-term service into which a person was discharged: each episode from hospital belongs to the latest discharge
-- before it, and a discharge leads to the first of its episodes.

with discharges as (
    select
        council_code,
        referral_ref,
        discharge_id,
        person_id,
        discharge_date
    from {{ ref('int_hospital__referrals') }}
    where
        discharge_date is not null
        and outcome_code = 'reablement'
),

short_term_episodes as (
    select
        council_code,
        episode_ref,
        short_term_episode_id,
        person_id,
        service_code,
        start_date
    from {{ ref('int_reablement__short_term_episodes') }}
    where
        source_code = 'hospital'
        and service_code in ('reablement', 'rehabilitation')
),

discharge_of_each_episode as (
    select distinct on (short_term_episodes.council_code, short_term_episodes.short_term_episode_id)
        discharges.council_code,
        discharges.discharge_id,
        discharges.person_id,
        discharges.discharge_date,
        short_term_episodes.short_term_episode_id,
        short_term_episodes.episode_ref,
        short_term_episodes.service_code,
        short_term_episodes.start_date
    from short_term_episodes
    inner join discharges
        on
            short_term_episodes.council_code = discharges.council_code
            and short_term_episodes.person_id = discharges.person_id
            and short_term_episodes.start_date
            between discharges.discharge_date
            and discharges.discharge_date + {{ var('discharge_to_service_days') }}
    order by
        short_term_episodes.council_code asc,
        short_term_episodes.short_term_episode_id asc,
        discharges.discharge_date desc,
        discharges.referral_ref asc
)

select distinct on (council_code, discharge_id)
    council_code,
    discharge_id,
    person_id,
    discharge_date,
    short_term_episode_id,
    service_code,
    start_date
from discharge_of_each_episode
order by
    council_code asc,
    discharge_id asc,
    start_date asc,
    episode_ref asc
