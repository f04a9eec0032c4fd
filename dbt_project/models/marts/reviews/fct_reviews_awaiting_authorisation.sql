select
    {{ publication_id() }} as publication_id,
    council_code,
    review_id,
    step_ref,
    person_id,
    review_kind_code,
    is_targeted_review,
    review_date,
    {{ financial_year('review_date') }} as financial_year,
    {{ financial_period('review_date') }} as period_number,
    waiting_days,
    team_ref
from {{ ref('int_reviews__awaiting_authorisation') }}
