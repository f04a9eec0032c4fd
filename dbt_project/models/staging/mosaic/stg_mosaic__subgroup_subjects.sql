select
    council_code,
    subgroup_ref,
    person_ref,
    subject_type_code
from {{ known_at(source('mosaic', 'subgroup_subjects')) }}
