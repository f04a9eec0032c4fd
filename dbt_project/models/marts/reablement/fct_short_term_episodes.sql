with short_term_episodes as (
    select
        council_code,
        short_term_episode_id,
        episode_ref,
        person_id,
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
    from {{ ref('int_reablement__short_term_episodes') }}
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
    short_term_episodes.council_code,
    short_term_episodes.short_term_episode_id,
    short_term_episodes.episode_ref,
    short_term_episodes.person_id,
    short_term_episodes.service_code,
    short_term_episodes.source_code,
    short_term_episodes.referral_date,
    short_term_episodes.discharge_date,
    short_term_episodes.start_date,
    short_term_episodes.end_date,
    short_term_episodes.end_reason_code,
    short_term_episodes.outcome_code as expected_sequel_code,
    short_term_episodes.planned_hours::numeric(10, 2) as planned_hours,
    short_term_episodes.contact_hours::numeric(10, 2) as contact_hours,
    {{ age_band('people.birth_date', 'short_term_episodes.start_date') }} as age_band,
    short_term_episodes.team_ref
from short_term_episodes
inner join people
    on
        short_term_episodes.council_code = people.council_code
        and short_term_episodes.person_id = people.person_id
