select
    council_code,
    cost_centre_code,
    subjective_code,
    financial_year,
    period_number,
    version_number,
    version_name,
    approved_date,
    budget_gbp
from {{ known_at(source('finance', 'budgets')) }}
