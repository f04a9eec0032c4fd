select
    {{ publication_id() }} as publication_id,
    council_code,
    step_ref,
    person_id,
    review_kind_code,
    review_date,
    {{ financial_year('review_date') }} as financial_year,
    {{ financial_period('review_date') }} as period_number,
    recorded_date,
    recorded_date - review_date as recording_lag_days,
    team_ref
from {{ ref('int_reviews__completed') }}
