-- Short-term episodes as the teams recorded them: of people who are known, ended by death at the latest, and without
-- those that end before they start, which is how a void one looks.

with short_term_episodes as (
    select
        council_code,
        episode_ref,
        person_ref,
        service_code,
        source_code,
        referral_date,
        discharge_date,
        start_date,
        end_date,
        end_reason_code,
        outcome_code,
        planned_hours,
        contact_hours,
        team_ref
    from {{ ref('stg_mosaic__short_term_episodes') }}
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
        death_date
    from {{ ref('int_persons__people') }}
),

episodes_to_death as (
    select
        short_term_episodes.council_code,
        short_term_episodes.episode_ref,
        people.person_id,
        short_term_episodes.service_code,
        short_term_episodes.source_code,
        short_term_episodes.referral_date,
        short_term_episodes.discharge_date,
        short_term_episodes.start_date,
        least(short_term_episodes.end_date, people.death_date) as end_date,
        short_term_episodes.end_date as recorded_end_date,
        case
            when people.death_date < coalesce(short_term_episodes.end_date, 'infinity') then 'died'
            else short_term_episodes.end_reason_code
        end as end_reason_code,
        short_term_episodes.outcome_code,
        short_term_episodes.planned_hours,
        short_term_episodes.contact_hours,
        short_term_episodes.team_ref
    from short_term_episodes
    inner join identities
        on
            short_term_episodes.council_code = identities.council_code
            and short_term_episodes.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
)

select
    council_code,
    episode_ref,
    episode_ref::text as short_term_episode_id,
    person_id,
    service_code,
    source_code,
    referral_date,
    discharge_date,
    start_date,
    end_date,
    recorded_end_date,
    end_reason_code,
    outcome_code,
    planned_hours,
    contact_hours,
    team_ref
from episodes_to_death
where end_date is null or end_date >= start_date
