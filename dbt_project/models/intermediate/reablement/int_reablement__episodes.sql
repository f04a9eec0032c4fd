-- Episodes of reablement. The row that ends last says how an episode ended: an earlier row may be 'completed' and the
-- service go on. Of several that end that day it is the one that began last, then the one with the highest number.

with service_rows as (
    select
        council_code,
        episode_id,
        person_id,
        element_ref,
        split_number,
        start_date,
        coalesce(end_date, 'infinity') as last_date,
        end_reason_code
    from {{ ref('int_reablement__service_rows') }}
),

rows_in_order as (
    select
        *,
        row_number() over (
            partition by council_code, episode_id
            order by last_date desc, start_date desc, element_ref desc, split_number desc
        ) as place_from_end,
        row_number() over (
            partition by council_code, episode_id
            order by start_date, element_ref, split_number
        ) as place_from_start
    from service_rows
),

episodes as (
    select
        council_code,
        episode_id,
        min(person_id) as person_id,
        min(start_date) as start_date,
        nullif(max(last_date), 'infinity') as end_date,
        min(end_reason_code) filter (where place_from_end = 1) as end_reason_code,
        count(*)::integer as service_row_count,
        min(element_ref) filter (where place_from_start = 1) as first_element_ref,
        min(split_number) filter (where place_from_start = 1) as first_split_number,
        min(element_ref) filter (where place_from_end = 1) as last_element_ref,
        min(split_number) filter (where place_from_end = 1) as last_split_number
    from rows_in_order
    group by
        council_code,
        episode_id
)

select
    council_code,
    episode_id,
    person_id,
    start_date,
    end_date,
    case when end_date is not null then end_reason_code end as end_reason_code,
    end_date is not null and coalesce(end_reason_code = 'completed', false) as is_completed,
    end_date - start_date + 1 as length_days,
    service_row_count,
    first_element_ref,
    first_split_number,
    last_element_ref,
    last_split_number
from episodes
