select
    council_code,
    'carer_support' as dataset_code,
    date_trunc('month', min(start_date)::timestamp)::date as held_from_date
from {{ ref('int_carers__support') }}
where start_date is not null
group by council_code
