select
    {{ publication_id() }} as publication_id,
    council_code,
    report_date,
    programme_ref,
    financial_year,
    target_gbp
from {{ ref('stg_programme__savings_targets') }}
