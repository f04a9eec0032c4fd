select
    council_code,
    relationship_ref,
    carer_person_ref,
    cared_for_person_ref,
    relationship_code,
    lives_together,
    start_date,
    end_date
from {{ known_at(source('mosaic', 'carers')) }}
