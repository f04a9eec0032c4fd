-- The one setting in force for each person over time. Overlapping services are normal; the setting hierarchy, which is
-- data, says which one counts. Short stays have layers of their own.

with services as (
    select
        council_code,
        person_id,
        layer_code,
        is_short_stay,
        element_ref,
        split_number,
        service_type_code,
        independence_order,
        overlap_priority,
        provider_ref,
        start_date,
        end_date,
        end_reason_code,
        weekly_cost_gbp,
        weekly_council_gbp,
        project_ref
    from {{ ref('int_placements__services') }}
),

-- Days on which anything may change for a person.
change_days as (
    select
        council_code,
        person_id,
        layer_code,
        start_date as change_date
    from services

    union

    select
        council_code,
        person_id,
        layer_code,
        end_date + 1 as change_date
    from services
    where end_date is not null
),

slices as (
    select
        council_code,
        person_id,
        layer_code,
        change_date as start_date,
        lead(change_date) over (partition by council_code, person_id, layer_code order by change_date) - 1
            as end_date
    from change_days
),

services_in_slices as (
    select
        services.*,
        slices.start_date as slice_start_date,
        slices.end_date as slice_end_date,
        rank() over (
            partition by slices.council_code, slices.person_id, slices.layer_code, slices.start_date
            order by services.overlap_priority, services.service_type_code
        ) as order_in_hierarchy
    from slices
    inner join services
        on
            slices.council_code = services.council_code
            and slices.person_id = services.person_id
            and slices.layer_code = services.layer_code
            and slices.start_date >= services.start_date
            and (services.end_date is null or slices.start_date <= services.end_date)
),

-- A row that was covered for a while comes into force once: what it was credited to then is not credited again.
services_in_force as (
    select
        *,
        min(slice_start_date) over (partition by council_code, element_ref, split_number) as in_force_from_date
    from services_in_slices
    where order_in_hierarchy = 1
),

-- Cost of a setting in a slice: all its rows together, and unknown when any of them has no price.
settings_in_force as (
    select
        council_code,
        person_id,
        layer_code,
        is_short_stay,
        service_type_code,
        independence_order,
        slice_start_date as start_date,
        slice_end_date as end_date,
        case when count(*) = count(weekly_cost_gbp) then sum(weekly_cost_gbp) end as weekly_cost_gbp,
        case when count(*) = count(weekly_cost_gbp) then sum(weekly_council_gbp) end
            as weekly_council_gbp,
        (array_agg(element_ref order by start_date desc, element_ref asc, split_number asc))[1] as first_element_ref,
        (array_agg(split_number order by start_date desc, element_ref asc, split_number asc))[1]
            as first_split_number,
        (array_agg(element_ref order by end_date asc, element_ref asc, split_number asc))[1] as last_element_ref,
        (array_agg(split_number order by end_date asc, element_ref asc, split_number asc))[1] as last_split_number,
        (array_agg(provider_ref order by end_date asc, element_ref asc, split_number asc))[1] as provider_ref,
        case
            when slice_end_date is null then null
            when min(end_date) = slice_end_date
                then (array_agg(end_reason_code order by end_date asc, element_ref asc, split_number asc))[1]
            else 'superseded'
        end as end_reason_code,
        (array_agg(project_ref order by element_ref, split_number) filter (
            where project_ref is not null and in_force_from_date = slice_start_date
        ))[1] as project_ref
    from services_in_force
    group by
        council_code,
        person_id,
        layer_code,
        is_short_stay,
        service_type_code,
        independence_order,
        slice_start_date,
        slice_end_date
),

settings_with_previous as (
    select
        *,
        lag(service_type_code) over earlier_settings as previous_service_type_code,
        lag(end_date) over earlier_settings as previous_end_date
    from settings_in_force
    window earlier_settings as (partition by council_code, person_id, layer_code order by start_date)
),

settings_with_first as (
    select
        *,
        coalesce(previous_service_type_code <> service_type_code or previous_end_date + 1 <> start_date, true)
            as starts_stay
    from settings_with_previous
),

settings_with_stay as (
    select
        *,
        count(*) filter (where starts_stay) over (
            partition by council_code, person_id, layer_code
            order by start_date
        ) as stay_number
    from settings_with_first
)

select
    council_code,
    person_id,
    first_value(first_element_ref || '-' || to_char(start_date, 'YYYYMMDD')) over (
        partition by council_code, person_id, layer_code, stay_number
        order by start_date
    ) as placement_id,
    is_short_stay,
    service_type_code,
    independence_order,
    start_date,
    end_date,
    weekly_cost_gbp::numeric(16, 2) as weekly_cost_gbp,
    weekly_council_gbp::numeric(16, 2) as weekly_council_gbp,
    first_element_ref,
    first_split_number,
    last_element_ref,
    last_split_number,
    provider_ref,
    end_reason_code,
    project_ref
from settings_with_stay
