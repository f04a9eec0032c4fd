select
    council_code,
    placement_ref,
    person_ref,
    element_ref,
    placement_type_ref,
    provider_ref,
    start_date,
    end_date,
    end_reason_code
from {{ known_at(source('mosaic', 'placements')) }}
