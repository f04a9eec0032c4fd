with teams as (
    select
        council_code,
        team_ref,
        team_name,
        parent_team_ref,
        service_area_code,
        start_date,
        end_date
    from {{ ref('stg_mosaic__teams') }}
)

select
    {{ publication_id() }} as publication_id,
    teams.council_code,
    teams.team_ref,
    teams.team_name,
    teams.parent_team_ref,
    parents.team_name as parent_team_name,
    teams.service_area_code,
    teams.start_date,
    teams.end_date
from teams
left join teams as parents
    on
        teams.council_code = parents.council_code
        and teams.parent_team_ref = parents.team_ref
