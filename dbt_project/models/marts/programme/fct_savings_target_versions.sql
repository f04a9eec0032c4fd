with target_versions as (
    select
        council_code,
        project_ref,
        version_number,
        version_name,
        financial_year,
        target_gbp,
        requested_date,
        approved_date,
        approved_precision_code,
        approved_by,
        decision_code,
        request_ref
    from {{ ref('stg_programme__target_versions') }}
),

targets_in_force as (
    select
        council_code,
        project_ref,
        version_number,
        financial_year,
        valid_from,
        valid_to
    from {{ ref('int_programme__targets_in_force') }}
)

select
    {{ publication_id() }} as publication_id,
    target_versions.council_code,
    concat_ws(
        '|', target_versions.project_ref, target_versions.version_number, target_versions.financial_year
    ) as target_version_id,
    target_versions.project_ref,
    target_versions.version_number,
    target_versions.version_name,
    target_versions.financial_year,
    target_versions.target_gbp,
    target_versions.decision_code,
    target_versions.requested_date,
    target_versions.approved_date,
    target_versions.approved_precision_code,
    target_versions.approved_by,
    target_versions.request_ref,
    targets_in_force.valid_from,
    targets_in_force.valid_to,
    coalesce(
        targets_in_force.valid_from <= {{ as_at() }}
        and (targets_in_force.valid_to is null or targets_in_force.valid_to > {{ as_at() }}),
        false
    ) as is_in_force
from target_versions
left join targets_in_force
    on
        target_versions.council_code = targets_in_force.council_code
        and target_versions.project_ref = targets_in_force.project_ref
        and target_versions.version_number = targets_in_force.version_number
        and target_versions.financial_year = targets_in_force.financial_year
