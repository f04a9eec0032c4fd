select
    council_code,
    subgroup_ref,
    group_ref,
    only_subject_type_code
from {{ known_at(source('mosaic', 'subgroups')) }}
