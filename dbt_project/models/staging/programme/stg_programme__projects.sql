select
    council_code,
    project_ref,
    project_name,
    programme_ref,
    savings_type,
    aliases,
    reported_under,
    is_adult_social_care,
    governance_level_code,
    purpose,
    activity_measure,
    source_systems
from {{ known_at(source('programme', 'projects')) }}
