select
    council_code,
    support_ref,
    carer_person_ref,
    cared_for_person_ref,
    support_code,
    start_date,
    end_date,
    cost_gbp
from {{ known_at(source('mosaic', 'carer_support')) }}
