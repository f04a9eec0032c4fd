select
    council_code,
    report_date,
    programme_ref,
    financial_year,
    at_risk_gbp
from {{ known_at(source('programme', 'amounts_at_risk')) }}
