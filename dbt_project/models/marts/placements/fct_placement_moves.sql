select
    {{ publication_id() }} as publication_id,
    council_code,
    person_id,
    move_date,
    {{ financial_year('move_date') }} as financial_year,
    {{ financial_period('move_date') }} as period_number,
    from_service_type_code,
    to_service_type_code,
    direction_code,
    days_between,
    weekly_cost_before_gbp,
    weekly_cost_after_gbp,
    weekly_cost_after_gbp - weekly_cost_before_gbp as weekly_cost_change_gbp,
    age_band
from {{ ref('int_placements__moves') }}
