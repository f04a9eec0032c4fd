select
    council_code,
    merged_person_ref,
    master_person_ref,
    merged_date
from {{ known_at(source('mosaic', 'person_merges')) }}
