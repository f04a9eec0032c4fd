select
    {{ publication_id() }} as publication_id,
    council_code,
    report_date,
    programme_ref,
    previous_status_code,
    status_code,
    trend_code,
    project_ref,
    report_name,
    status_basis_code,
    status_words,
    project_status_id,
    judged_programme_ref
from {{ ref('int_programme__statuses') }}
