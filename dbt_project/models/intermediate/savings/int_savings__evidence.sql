-- Events that are evidence of a saving, as the records show them, whether or not anybody claimed them: service rows
-- that are credited to a project or named by a claim, and installations with an avoided cost or named by a claim.

with service_elements as (
    select
        council_code,
        element_ref,
        split_number,
        project_ref
    from {{ ref('stg_mosaic__service_elements') }}
),

services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        is_long_term,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
),

claims as (
    select
        council_code,
        element_ref,
        split_number,
        installation_ref
    from {{ ref('stg_programme__savings_claims') }}
),

installations as (
    select
        council_code,
        installation_ref,
        person_ref,
        installed_date,
        avoided_weekly_gbp
    from {{ ref('stg_registers__assistive_technology_installations') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
),

events as (
    select
        council_code,
        element_ref,
        split_number
    from service_elements
    where project_ref is not null

    union

    select
        council_code,
        element_ref,
        split_number
    from claims
    where
        element_ref is not null
        and split_number is not null
),

claimed_installations as (
    select distinct
        council_code,
        installation_ref
    from claims
    where installation_ref is not null
),

elements_of_events as (
    select distinct
        council_code,
        element_ref
    from events
),

-- What a split cost before it: the element's own row before, if it has one.
services_with_previous as (
    select
        services.*,
        lag(services.split_number) over earlier_splits as previous_split_number,
        lag(services.weekly_cost_gbp) over earlier_splits as previous_weekly_gbp
    from services
    inner join elements_of_events
        on
            services.council_code = elements_of_events.council_code
            and services.element_ref = elements_of_events.element_ref
    window earlier_splits as (
        partition by services.council_code, services.element_ref
        order by services.start_date, services.split_number
    )
),

service_changes as (
    select
        services_with_previous.council_code,
        services_with_previous.element_ref,
        services_with_previous.split_number,
        services_with_previous.person_id,
        services_with_previous.start_date,
        services_with_previous.weekly_cost_gbp,
        services_with_previous.previous_split_number,
        services_with_previous.previous_weekly_gbp,
        service_elements.project_ref
    from events
    inner join services_with_previous
        on
            events.council_code = services_with_previous.council_code
            and events.element_ref = services_with_previous.element_ref
            and events.split_number = services_with_previous.split_number
    inner join service_elements
        on
            events.council_code = service_elements.council_code
            and events.element_ref = service_elements.element_ref
            and events.split_number = service_elements.split_number
),

-- Else the services that made way for it: those of the person that ended last, soon enough before.
changes_and_replaced as (
    select
        service_changes.*,
        services.end_date as replaced_end_date,
        services.weekly_cost_gbp as replaced_weekly_gbp,
        max(services.end_date) over (
            partition by service_changes.council_code, service_changes.element_ref, service_changes.split_number
        ) as last_replaced_end_date
    from service_changes
    left join services
        on
            service_changes.council_code = services.council_code
            and service_changes.person_id = services.person_id
            and service_changes.element_ref <> services.element_ref
            and service_changes.start_date > services.end_date
            and service_changes.start_date - 1 - {{ var('placement_move_gap_days') }} <= services.end_date
            and service_changes.previous_split_number is null
            and services.is_long_term
),

-- Joined and added up in one pass: PostgreSQL expects one row of a change and would look through all for each.
changes_with_costs as (
    select
        council_code,
        element_ref,
        split_number,
        person_id,
        project_ref,
        start_date,
        weekly_cost_gbp,
        case
            when previous_split_number is not null then previous_weekly_gbp
            when bool_and(replaced_weekly_gbp is not null) then sum(replaced_weekly_gbp)
        end as weekly_before_gbp
    from changes_and_replaced
    where replaced_end_date is not distinct from last_replaced_end_date
    group by
        council_code,
        element_ref,
        split_number,
        person_id,
        project_ref,
        start_date,
        weekly_cost_gbp,
        previous_split_number,
        previous_weekly_gbp
),

events_with_costs as (
    select
        council_code,
        'service_change' as evidence_type_code,
        element_ref || '-' || split_number as evidence_id,
        element_ref,
        split_number,
        null::text as installation_ref,
        person_id,
        project_ref,
        start_date as effective_date,
        weekly_before_gbp,
        weekly_cost_gbp as weekly_after_gbp,
        null::numeric as avoided_weekly_gbp
    from changes_with_costs

    union all

    select
        installations.council_code,
        'installation' as evidence_type_code,
        installations.installation_ref as evidence_id,
        null as element_ref,
        null as split_number,
        installations.installation_ref,
        identities.person_id,
        null as project_ref,
        installations.installed_date as effective_date,
        null as weekly_before_gbp,
        null as weekly_after_gbp,
        installations.avoided_weekly_gbp
    from installations
    left join identities
        on
            installations.council_code = identities.council_code
            and installations.person_ref = identities.person_ref
    left join claimed_installations
        on
            installations.council_code = claimed_installations.council_code
            and installations.installation_ref = claimed_installations.installation_ref
    where
        installations.installed_date is not null
        and (
            installations.avoided_weekly_gbp is not null
            or claimed_installations.installation_ref is not null
        )
),

events_with_effect as (
    select
        *,
        coalesce(weekly_before_gbp - weekly_after_gbp, avoided_weekly_gbp) as weekly_effect_gbp
    from events_with_costs
)

select
    council_code,
    evidence_type_code,
    evidence_id,
    element_ref,
    split_number,
    installation_ref,
    person_id,
    project_ref,
    effective_date,
    {{ financial_year('effective_date') }} as financial_year,
    weekly_before_gbp::numeric(16, 2) as weekly_before_gbp,
    weekly_after_gbp::numeric(16, 2) as weekly_after_gbp,
    weekly_effect_gbp::numeric(16, 2) as weekly_effect_gbp,
    {{ in_year_effect('weekly_effect_gbp', 'effective_date', financial_year_end('effective_date')) }}::numeric(16, 2)
        as in_year_gbp,
    {{ cost_of_a_year('weekly_effect_gbp') }}::numeric(16, 2) as full_year_gbp
from events_with_effect
