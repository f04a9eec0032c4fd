select
    council_code,
    report_date,
    accommodation_type,
    cost_year,
    scope,
    cost_basis,
    average_weekly_cost_gbp
from {{ known_at(source('measures', 'accommodation_costs')) }}
