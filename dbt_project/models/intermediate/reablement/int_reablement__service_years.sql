-- The first day of each financial year on which a person had a short-term service: people of months cannot be added,
-- so a year counts each person once, on that day. A service that nobody ended goes on to the as-at date.

with short_term_episodes as (
    select
        council_code,
        episode_ref,
        short_term_episode_id,
        person_id,
        service_code,
        start_date,
        coalesce(end_date, {{ as_at() }}) as last_date,
        team_ref
    from {{ ref('int_reablement__short_term_episodes') }}
),

-- K011 counts people of any service, K013 those of rapid response.
episodes_by_measure as (
    select
        'K011' as measure_id,
        *
    from short_term_episodes

    union all

    select
        'K013' as measure_id,
        *
    from short_term_episodes
    where service_code = 'home_first_response'
),

episode_years as (
    select
        episodes_by_measure.*,
        greatest(episodes_by_measure.start_date, years.year_start::date) as first_date,
        years.year_start::date as year_start_date
    from episodes_by_measure
    cross join lateral generate_series(
        {{ financial_year_start('episodes_by_measure.start_date') }}::timestamp,
        episodes_by_measure.last_date::timestamp,
        interval '1 year'
    ) as years (year_start)
)

select distinct on (council_code, measure_id, person_id, year_start_date)
    council_code,
    measure_id,
    person_id,
    year_start_date,
    first_date,
    short_term_episode_id,
    team_ref
from episode_years
where first_date <= {{ as_at() }}
order by
    council_code asc,
    measure_id asc,
    person_id asc,
    year_start_date asc,
    first_date asc,
    episode_ref asc
