select
    council_code,
    report_date,
    programme_ref,
    financial_year,
    target_gbp
from {{ known_at(source('programme', 'savings_targets')) }}
