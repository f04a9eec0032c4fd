select
    council_code,
    element_ref,
    split_number,
    person_ref,
    service_type_code,
    start_date,
    end_date,
    end_reason_code,
    weekly_cost_gbp
from {{ known_at(source('mosaic', 'service_elements')) }}
