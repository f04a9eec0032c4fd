select
    council_code,
    placement_type_ref,
    placement_type_name,
    service_type_code,
    is_short_stay
from {{ known_at(source('mosaic', 'placement_types')) }}
