-- A version is in force from the day of its approval, that day included, until the next approval (R24). What was asked
-- for, rejected or deferred never is (R19). Of two versions approved on one day the higher number stands and the other
-- was in force on no day.

with target_versions as (
    select
        council_code,
        project_ref,
        version_number,
        financial_year,
        target_gbp,
        approved_date
    from {{ ref('stg_programme__target_versions') }}
    where
        decision_code = 'approved'
        and approved_date is not null
),

-- The day is the version's, not the year's: a version replaces all years of the one before.
approvals as (
    select
        council_code,
        project_ref,
        version_number,
        min(approved_date) as valid_from
    from target_versions
    group by
        council_code,
        project_ref,
        version_number
),

versions_in_force as (
    select
        council_code,
        project_ref,
        version_number,
        valid_from,
        lead(valid_from) over (
            partition by council_code, project_ref
            order by valid_from, version_number
        ) as valid_to
    from approvals
)

select
    versions_in_force.council_code,
    versions_in_force.project_ref,
    versions_in_force.version_number,
    target_versions.financial_year,
    target_versions.target_gbp,
    versions_in_force.valid_from,
    versions_in_force.valid_to
from versions_in_force
inner join target_versions
    on
        versions_in_force.council_code = target_versions.council_code
        and versions_in_force.project_ref = target_versions.project_ref
        and versions_in_force.version_number = target_versions.version_number
where
    versions_in_force.valid_to is null
    or versions_in_force.valid_from < versions_in_force.valid_to
