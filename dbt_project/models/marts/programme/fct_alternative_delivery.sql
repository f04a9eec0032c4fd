select
    {{ publication_id() }} as publication_id,
    council_code,
    concat_ws('|', report_date, programme_ref) as alternative_delivery_id,
    report_date,
    programme_ref,
    alternative_delivery_gbp
from {{ ref('stg_programme__alternative_delivery') }}
