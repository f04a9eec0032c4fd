select
    council_code,
    report_date,
    programme_ref,
    alternative_delivery_gbp
from {{ known_at(source('programme', 'alternative_delivery')) }}
