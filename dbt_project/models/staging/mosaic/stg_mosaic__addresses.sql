select
    council_code,
    address_ref,
    person_ref,
    address_type_code,
    start_date,
    end_date
from {{ known_at(source('mosaic', 'addresses')) }}
