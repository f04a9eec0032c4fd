-- Reablement rows of one person that touch, overlap or nearly touch are one episode. Rows are compared with the latest
-- end so far, not with the row before them: a short row nested in a long one would otherwise end the episode.

with reablement_services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        start_date,
        end_date,
        coalesce(end_date, 'infinity') as last_date,
        end_reason_code
    from {{ ref('int_support__services') }}
    where service_type_code = 'reablement'
),

services_with_reach as (
    select
        *,
        max(last_date) over (
            partition by council_code, person_id
            order by start_date, element_ref, split_number
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from reablement_services
),

services_with_first as (
    select
        *,
        latest_end_before is null
        or start_date > latest_end_before + 1 + {{ var('reablement_gap_days') }} as starts_episode
    from services_with_reach
),

services_with_episode as (
    select
        *,
        count(*) filter (where starts_episode) over (
            partition by council_code, person_id
            order by start_date, element_ref, split_number
        ) as episode_number
    from services_with_first
)

select
    council_code,
    first_value(element_ref || '-' || split_number) over (
        partition by council_code, person_id, episode_number
        order by start_date, element_ref, split_number
    ) as episode_id,
    person_id,
    element_ref,
    split_number,
    start_date,
    end_date,
    end_reason_code
from services_with_episode
