select
    council_code,
    reference_ref,
    person_ref,
    reference_type_code
from {{ known_at(source('mosaic', 'person_references')) }}
