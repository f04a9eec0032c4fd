-- A start proves nothing: a status that still applies brings its old start along.
with accommodations as (
    select
        council_code,
        end_date
    from {{ ref('int_placements__accommodations') }}
    where end_date is not null
)

select
    council_code,
    'accommodations' as dataset_code,
    date_trunc('month', min(end_date)::timestamp)::date as held_from_date
from accommodations
group by council_code
