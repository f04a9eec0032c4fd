select
    council_code,
    'short_term_episodes' as dataset_code,
    'fct_short_term_episodes' as fact_name,
    'mosaic' as source_name,
    date_trunc('month', min(recorded_end_date)::timestamp)::date as held_from_date
from {{ ref('int_reablement__short_term_episodes') }}
where recorded_end_date is not null
group by council_code
