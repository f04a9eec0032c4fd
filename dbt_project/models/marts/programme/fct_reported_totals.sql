select
    {{ publication_id() }} as publication_id,
    council_code,
    concat_ws('|', report_date, report_name, row_name, period) as reported_total_id,
    report_date,
    report_name,
    row_name,
    period,
    amount_gbp,
    amount_as_printed,
    scope_note as scope
from {{ ref('stg_programme__reported_totals') }}
