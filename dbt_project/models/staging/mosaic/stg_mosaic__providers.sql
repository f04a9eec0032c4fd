select
    council_code,
    provider_ref,
    provider_name,
    provider_type_code,
    is_in_house,
    start_date,
    end_date
from {{ known_at(source('mosaic', 'providers')) }}
