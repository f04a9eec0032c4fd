with projects as (
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
        activity_measure
    from {{ ref('stg_programme__projects') }}
),

programmes as (
    select
        council_code,
        programme_ref,
        programme_name,
        parent_programme_ref
    from {{ ref('stg_programme__programmes') }}
)

select
    {{ publication_id() }} as publication_id,
    projects.council_code,
    projects.project_ref as project_id,
    projects.project_ref,
    projects.project_name,
    projects.aliases,
    projects.programme_ref,
    programmes.programme_name,
    programmes.parent_programme_ref,
    projects.reported_under,
    projects.is_adult_social_care,
    projects.governance_level_code,
    projects.savings_type,
    -- The register's words may name several kinds, or none; "cashability" is not one.
    coalesce(projects.savings_type ~* '\mcashable\M', false) as is_cashable,
    coalesce(projects.savings_type ~* '\mcost avoidance\M', false) as is_cost_avoidance,
    coalesce(projects.savings_type ~* '\mincome\M', false) as is_income,
    projects.purpose,
    projects.activity_measure
from projects
left join programmes
    on
        projects.council_code = programmes.council_code
        and projects.programme_ref = programmes.programme_ref
