with installations as (
    select *
    from {{ ref('stg_registers__assistive_technology_installations') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
)

select
    {{ publication_id() }} as publication_id,
    installations.council_code,
    installations.installation_ref as technology_installation_id,
    identities.person_id,
    installations.equipment_code,
    installations.referred_date,
    installations.installed_date,
    installations.removed_date,
    installations.installed_date - installations.referred_date as waiting_days,
    installations.avoided_weekly_gbp,
    round({{ cost_of_a_year('installations.avoided_weekly_gbp') }}, 2)::numeric(16, 2) as avoided_full_year_gbp
from installations
left join identities
    on
        installations.council_code = identities.council_code
        and installations.person_ref = identities.person_ref
