-- What the teams recorded of an episode. Their episodes that nearly touch are listed apart, so an episode may have
-- several; one of theirs belongs to the first episode that it shares a day with.

with episodes as (
    select
        council_code,
        episode_id,
        person_id,
        start_date,
        coalesce(end_date, 'infinity') as end_date
    from {{ ref('int_reablement__episodes') }}
),

short_term_episodes as (
    select
        council_code,
        episode_ref,
        short_term_episode_id,
        person_id,
        source_code,
        start_date,
        coalesce(end_date, 'infinity') as end_date,
        outcome_code,
        planned_hours,
        contact_hours,
        team_ref
    from {{ ref('int_reablement__short_term_episodes') }}
    where service_code = 'reablement'
),

discharges as (
    select
        council_code,
        discharge_id,
        short_term_episode_id
    from {{ ref('int_hospital__services_after') }}
),

episode_of_each as (
    select distinct on (short_term_episodes.council_code, short_term_episodes.short_term_episode_id)
        episodes.episode_id,
        short_term_episodes.*
    from short_term_episodes
    inner join episodes
        on
            short_term_episodes.council_code = episodes.council_code
            and short_term_episodes.person_id = episodes.person_id
            and short_term_episodes.start_date <= episodes.end_date
            and short_term_episodes.end_date >= episodes.start_date
    order by
        short_term_episodes.council_code asc,
        short_term_episodes.short_term_episode_id asc,
        episodes.start_date asc
),

in_order as (
    select
        episode_of_each.*,
        discharges.discharge_id,
        row_number() over (
            partition by episode_of_each.council_code, episode_of_each.episode_id
            order by episode_of_each.start_date, episode_of_each.episode_ref
        ) as place_from_start,
        row_number() over (
            partition by episode_of_each.council_code, episode_of_each.episode_id
            order by episode_of_each.end_date desc, episode_of_each.start_date desc, episode_of_each.episode_ref desc
        ) as place_from_end
    from episode_of_each
    left join discharges
        on
            episode_of_each.council_code = discharges.council_code
            and episode_of_each.short_term_episode_id = discharges.short_term_episode_id
)

select
    council_code,
    episode_id,
    min(short_term_episode_id) filter (where place_from_start = 1) as short_term_episode_id,
    min(source_code) filter (where place_from_start = 1) as source_code,
    min(discharge_id) filter (where place_from_start = 1) as discharge_id,
    min(team_ref) filter (where place_from_start = 1) as team_ref,
    min(outcome_code) filter (where place_from_end = 1) as expected_sequel_code,
    count(*)::integer as short_term_episode_count,
    -- Unknown when any of them is.
    case when count(*) = count(planned_hours) then sum(planned_hours) end as planned_hours,
    case when count(*) = count(contact_hours) then sum(contact_hours) end as contact_hours
from in_order
group by
    council_code,
    episode_id
