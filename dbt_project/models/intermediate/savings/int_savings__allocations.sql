-- Which project a claim was given to, and when (R36). A new version of a claim that names the same project goes on with
-- the allocation; one that comes back after it was withdrawn begins another.

with versions as (
    select
        council_code,
        claim_ref,
        project_ref,
        known_from,
        known_to
    from {{ ref('stg_programme__savings_claim_versions') }}
),

versions_with_previous as (
    select
        *,
        lag(project_ref) over earlier_versions as previous_project_ref,
        lag(known_to) over earlier_versions as previous_known_to
    from versions
    window earlier_versions as (partition by council_code, claim_ref order by known_from)
),

versions_with_first as (
    select
        *,
        coalesce(previous_project_ref <> project_ref or previous_known_to <> known_from, true) as starts_allocation
    from versions_with_previous
),

versions_with_number as (
    select
        *,
        (count(*) filter (where starts_allocation) over (
            partition by council_code, claim_ref
            order by known_from
        ))::integer as allocation_number
    from versions_with_first
),

allocations as (
    select
        council_code,
        claim_ref,
        allocation_number,
        project_ref,
        min(known_from) as valid_from,
        nullif(max(coalesce(known_to, 'infinity')), 'infinity') as valid_to
    from versions_with_number
    group by
        council_code,
        claim_ref,
        allocation_number,
        project_ref
)

select
    council_code,
    claim_ref,
    allocation_number,
    project_ref,
    lag(project_ref) over (partition by council_code, claim_ref order by allocation_number) as previous_project_ref,
    valid_from,
    valid_to,
    valid_to is null as is_current
from allocations
