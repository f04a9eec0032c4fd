with targets_in_force as (
    select
        council_code,
        project_ref,
        version_number,
        financial_year,
        target_gbp,
        valid_from,
        valid_to
    from {{ ref('int_programme__targets_in_force') }}
),

target_versions as (
    select
        council_code,
        project_ref,
        version_number,
        financial_year,
        version_name,
        approved_by,
        approved_precision_code,
        request_ref
    from {{ ref('stg_programme__target_versions') }}
),

projects as (
    select
        council_code,
        project_ref,
        project_name,
        programme_ref
    from {{ ref('stg_programme__projects') }}
)

select
    {{ publication_id() }} as publication_id,
    targets_in_force.council_code,
    targets_in_force.project_ref,
    projects.project_name,
    projects.programme_ref,
    targets_in_force.valid_from,
    targets_in_force.valid_to,
    targets_in_force.version_number,
    target_versions.version_name,
    target_versions.approved_by,
    target_versions.approved_precision_code,
    target_versions.request_ref,
    targets_in_force.financial_year,
    targets_in_force.target_gbp,
    -- A year that the version before did not have had no target, which is not a target of 0 (R12).
    previous_targets.target_gbp as previous_target_gbp,
    targets_in_force.target_gbp - coalesce(previous_targets.target_gbp, 0) as change_gbp,
    (
        targets_in_force.valid_from <= {{ as_at() }}
        and (targets_in_force.valid_to is null or targets_in_force.valid_to > {{ as_at() }})
    ) as is_in_force,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'targets_in_force.council_code', ['fct_savings_target_versions'], 'targets_in_force.valid_from',
        is_stated='true',
        is_latest='targets_in_force.valid_to is null'
    ) }} as data_status_code
from targets_in_force
inner join target_versions
    on
        targets_in_force.council_code = target_versions.council_code
        and targets_in_force.project_ref = target_versions.project_ref
        and targets_in_force.version_number = target_versions.version_number
        and targets_in_force.financial_year = target_versions.financial_year
left join targets_in_force as previous_targets
    on
        targets_in_force.council_code = previous_targets.council_code
        and targets_in_force.project_ref = previous_targets.project_ref
        and targets_in_force.financial_year = previous_targets.financial_year
        and targets_in_force.valid_from = previous_targets.valid_to
left join projects
    on
        targets_in_force.council_code = projects.council_code
        and targets_in_force.project_ref = projects.project_ref
