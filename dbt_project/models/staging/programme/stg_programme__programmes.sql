select
    council_code,
    programme_ref,
    programme_name,
    level_code,
    parent_programme_ref,
    report_order
from {{ known_at(source('programme', 'programmes')) }}
