select
    {{ publication_id() }} as publication_id,
    council_code,
    report_date,
    programme_ref,
    previous_status_code,
    status_code,
    trend_code
from {{ ref('stg_programme__statuses') }}
