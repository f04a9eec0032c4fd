select
    council_code,
    person_ref,
    start_date,
    end_date,
    accommodation_code
from {{ known_at(source('mosaic', 'accommodations')) }}
