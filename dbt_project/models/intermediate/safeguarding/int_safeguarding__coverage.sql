select
    council_code,
    'safeguarding_enquiries' as dataset_code,
    date_trunc('month', min(end_date)::timestamp)::date as held_from_date
from {{ ref('int_safeguarding__enquiries') }}
where end_date is not null
group by council_code
