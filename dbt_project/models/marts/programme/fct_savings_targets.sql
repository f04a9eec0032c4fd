select
    {{ publication_id() }} as publication_id,
    council_code,
    report_date,
    programme_ref,
    financial_year,
    target_gbp,
    concat_ws('|', report_date, programme_ref, financial_year) as savings_target_id
from {{ ref('stg_programme__savings_targets') }}
