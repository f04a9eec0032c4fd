select
    council_code,
    'short_term_episodes' as dataset_code,
    date_trunc('month', min(recorded_end_date)::timestamp)::date as held_from_date
from {{ ref('int_reablement__short_term_episodes') }}
where recorded_end_date is not null
group by council_code
