with reviews as (
    select
        council_code,
        review_date
    from {{ ref('int_reviews__completed') }}
)

-- A month counts as held from its first day on when any review of it is.
select
    council_code,
    'reviews' as dataset_code,
    date_trunc('month', min(review_date)::timestamp)::date as held_from_date
from reviews
group by council_code
