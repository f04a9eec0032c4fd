select
    {{ publication_id() }} as publication_id,
    council_code,
    change_request_year_id,
    request_ref,
    project_ref,
    change_type_code,
    decision_code,
    report_date,
    financial_year,
    reported_financial_year,
    expected_gbp,
    revised_gbp,
    change_gbp
from {{ ref('int_programme__change_request_years') }}
