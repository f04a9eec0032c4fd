select
    council_code,
    project_ref,
    version_number,
    financial_year,
    version_name,
    target_gbp,
    requested_date,
    approved_date,
    approved_precision_code,
    approved_by,
    decision_code,
    request_ref
from {{ known_at(source('programme', 'target_versions')) }}
