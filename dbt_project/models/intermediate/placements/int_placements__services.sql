-- Service rows of the settings in which people live. The element says the days and the price; the placement record says
-- whether it is a short stay, such as respite, which is shown apart and hides no long-term placement.

with services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        service_type_code,
        independence_order,
        overlap_priority,
        start_date,
        end_date,
        end_reason_code,
        provider_ref,
        weekly_cost_gbp,
        weekly_council_gbp,
        project_ref
    from {{ ref('int_support__services') }}
    where
        is_long_term
        and is_accommodation
),

placements as (
    select
        council_code,
        placement_ref,
        element_ref,
        placement_type_ref,
        provider_ref
    from {{ ref('stg_mosaic__placements') }}
),

placement_types as (
    select
        council_code,
        placement_type_ref,
        is_short_stay
    from {{ ref('stg_mosaic__placement_types') }}
),

placed_elements as (
    select
        placements.council_code,
        placements.element_ref,
        bool_and(coalesce(placement_types.is_short_stay, false)) as is_short_stay,
        (array_agg(placements.provider_ref order by placements.placement_ref desc))[1] as provider_ref
    from placements
    left join placement_types
        on
            placements.council_code = placement_types.council_code
            and placements.placement_type_ref = placement_types.placement_type_ref
    group by
        placements.council_code,
        placements.element_ref
)

select
    services.council_code,
    services.person_id,
    services.element_ref,
    services.split_number,
    services.service_type_code,
    services.independence_order,
    services.overlap_priority,
    coalesce(placed_elements.is_short_stay, false) as is_short_stay,
    case
        when placed_elements.is_short_stay then 'short_stay_' || services.service_type_code
        else 'long_term'
    end as layer_code,
    coalesce(placed_elements.provider_ref, services.provider_ref) as provider_ref,
    services.start_date,
    services.end_date,
    services.end_reason_code,
    services.weekly_cost_gbp,
    services.weekly_council_gbp,
    services.project_ref
from services
left join placed_elements
    on
        services.council_code = placed_elements.council_code
        and services.element_ref = placed_elements.element_ref
