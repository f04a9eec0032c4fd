-- A row belongs to each stay in its setting of which it covers a day: one that another setting hid for a while, to two.

with stays as (
    select
        council_code,
        person_id,
        placement_id,
        is_short_stay,
        service_type_code,
        start_date,
        end_date
    from {{ ref('int_placements__stays') }}
),

services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        is_short_stay,
        service_type_code,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_placements__services') }}
)

select
    {{ publication_id() }} as publication_id,
    services.council_code,
    stays.placement_id || '-' || services.element_ref || '-' || services.split_number as placement_service_id,
    stays.placement_id,
    services.person_id,
    services.element_ref,
    services.split_number,
    services.start_date,
    services.end_date,
    services.weekly_cost_gbp
from stays
inner join services
    on
        stays.council_code = services.council_code
        and stays.person_id = services.person_id
        and stays.is_short_stay = services.is_short_stay
        and stays.service_type_code = services.service_type_code
        and services.start_date <= coalesce(stays.end_date, 'infinity')
        and stays.start_date <= coalesce(services.end_date, 'infinity')
