with episodes as (
    select
        council_code,
        episode_id,
        person_id,
        start_date,
        end_date,
        end_reason_code,
        is_completed,
        length_days,
        service_row_count
    from {{ ref('int_reablement__episodes') }}
),

team_episodes as (
    select
        council_code,
        episode_id,
        short_term_episode_id,
        source_code,
        discharge_id,
        team_ref,
        expected_sequel_code,
        planned_hours,
        contact_hours
    from {{ ref('int_reablement__team_episodes') }}
),

sequels as (
    select
        council_code,
        episode_id,
        sequel_date,
        sequel_code,
        weekly_cost_before_gbp,
        weekly_cost_after_gbp,
        later_support_date,
        days_to_later_support,
        independence_date,
        is_independent
    from {{ ref('int_reablement__sequels') }}
),

homecomings as (
    select
        council_code,
        discharge_id,
        at_home_check_date,
        whereabouts_code
    from {{ ref('int_hospital__homecomings') }}
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
    episodes.council_code,
    episodes.episode_id,
    episodes.person_id,
    episodes.start_date,
    episodes.end_date,
    episodes.end_reason_code,
    episodes.is_completed,
    case when episodes.is_completed then {{ financial_year('episodes.end_date') }} end as completed_financial_year,
    case when episodes.is_completed then {{ financial_period('episodes.end_date') }} end as completed_period_number,
    episodes.length_days,
    {{ age_band('people.birth_date', 'episodes.start_date') }} as age_band,
    team_episodes.source_code,
    team_episodes.discharge_id,
    team_episodes.short_term_episode_id,
    team_episodes.team_ref,
    team_episodes.planned_hours::numeric(12, 2) as planned_hours,
    team_episodes.contact_hours::numeric(12, 2) as contact_hours,
    team_episodes.expected_sequel_code,
    sequels.sequel_date,
    sequels.sequel_code,
    sequels.weekly_cost_before_gbp,
    sequels.weekly_cost_after_gbp,
    sequels.later_support_date,
    sequels.days_to_later_support,
    sequels.independence_date,
    sequels.is_independent,
    homecomings.at_home_check_date,
    homecomings.whereabouts_code,
    homecomings.whereabouts_code = 'home' as is_at_home,
    episodes.service_row_count
from episodes
inner join people
    on
        episodes.council_code = people.council_code
        and episodes.person_id = people.person_id
left join team_episodes
    on
        episodes.council_code = team_episodes.council_code
        and episodes.episode_id = team_episodes.episode_id
left join sequels
    on
        episodes.council_code = sequels.council_code
        and episodes.episode_id = sequels.episode_id
left join homecomings
    on
        team_episodes.council_code = homecomings.council_code
        and team_episodes.discharge_id = homecomings.discharge_id
