with stays as (
    select * from {{ ref('int_placements__stays') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
)

select
    {{ publication_id() }} as publication_id,
    stays.council_code,
    stays.placement_id,
    stays.person_id,
    stays.service_type_code,
    stays.is_short_stay,
    stays.provider_ref,
    stays.start_date,
    stays.end_date,
    stays.end_reason_code,
    stays.first_weekly_cost_gbp,
    stays.last_weekly_cost_gbp,
    stays.last_weekly_cost_gbp - stays.first_weekly_cost_gbp as weekly_cost_change_gbp,
    stays.project_ref,
    {{ age_band('people.birth_date', 'stays.start_date') }} as age_band
from stays
inner join people
    on
        stays.council_code = people.council_code
        and stays.person_id = people.person_id
