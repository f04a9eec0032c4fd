select
    council_code,
    person_ref,
    support_reason_code,
    start_date,
    end_date
from {{ known_at(source('mosaic', 'service_user_groups')) }}
