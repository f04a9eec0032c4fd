-- Services open when an extract begins bring start dates from long before, and a death can be older than the extract
-- too: only recorded ends show since when the services are held whole. A month counts from its first day on.

with services_ended as (
    select
        council_code,
        recorded_end_date
    from {{ ref('int_support__services') }}
    where recorded_end_date is not null
)

select
    council_code,
    'services' as dataset_code,
    date_trunc('month', min(recorded_end_date)::timestamp)::date as held_from_date
from services_ended
group by council_code
