select
    council_code,
    project_ref,
    project_name,
    programme_ref,
    savings_type,
    aliases
from {{ known_at(source('programme', 'projects')) }}
