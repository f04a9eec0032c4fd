select
    council_code,
    team_ref,
    team_name,
    parent_team_ref,
    service_area_code,
    start_date,
    end_date
from {{ known_at(source('mosaic', 'teams')) }}
