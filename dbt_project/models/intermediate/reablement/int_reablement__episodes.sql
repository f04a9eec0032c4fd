-- Reablement rows of one person that touch, overlap or nearly touch are one episode.

with reablement_services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        start_date,
        coalesce(end_date, 'infinity') as end_date,
        end_reason_code
    from {{ ref('int_support__services') }}
    where service_type_code = 'reablement'
),

services_with_reach as (
    select
        *,
        max(end_date) over (
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
),

-- The row that ends last says how the episode ended: an earlier row may be 'completed' and the service go on. Of
-- several that end that day it is the one that began last, then the one with the highest number.
episodes as (
    select
        council_code,
        person_id,
        min(start_date) as start_date,
        nullif(max(end_date), 'infinity') as end_date,
        (array_agg(end_reason_code order by end_date desc, start_date desc, element_ref desc, split_number desc))[1]
            as end_reason_code,
        count(*)::integer as service_row_count
    from services_with_episode
    group by
        council_code,
        person_id,
        episode_number
)

select
    council_code,
    person_id,
    start_date,
    end_date,
    case when end_date is not null then end_reason_code end as end_reason_code,
    end_date is not null and coalesce(end_reason_code = 'completed', false) as is_completed,
    service_row_count
from episodes
