select
    {{ publication_id() }} as publication_id,
    council_code,
    concat_ws('|', report_date, programme_ref, financial_year) as amount_at_risk_id,
    report_date,
    programme_ref,
    financial_year,
    at_risk_gbp
from {{ ref('stg_programme__amounts_at_risk') }}
