select
    council_code,
    project_ref,
    period_start_date,
    period_end_date,
    savings_kind_code,
    validation_code,
    validated_date,
    claimed_gbp,
    validated_gbp,
    report_name
from {{ known_at(source('programme', 'finance_validations')) }}
