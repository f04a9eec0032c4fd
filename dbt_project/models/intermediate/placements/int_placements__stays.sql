with settings as (
    select
        council_code,
        person_id,
        placement_id,
        is_short_stay,
        service_type_code,
        independence_order,
        start_date,
        end_date,
        weekly_cost_gbp,
        first_element_ref,
        first_split_number,
        last_element_ref,
        last_split_number,
        provider_ref,
        end_reason_code,
        project_ref
    from {{ ref('int_placements__settings') }}
)

select
    council_code,
    person_id,
    placement_id,
    is_short_stay,
    service_type_code,
    independence_order,
    min(start_date) as start_date,
    nullif(max(coalesce(end_date, 'infinity')), 'infinity') as end_date,
    (array_agg(weekly_cost_gbp order by start_date))[1]::numeric(16, 2) as first_weekly_cost_gbp,
    (array_agg(weekly_cost_gbp order by start_date desc))[1]::numeric(16, 2) as last_weekly_cost_gbp,
    (array_agg(first_element_ref order by start_date))[1] as first_element_ref,
    (array_agg(first_split_number order by start_date))[1] as first_split_number,
    (array_agg(last_element_ref order by start_date desc))[1] as last_element_ref,
    (array_agg(last_split_number order by start_date desc))[1] as last_split_number,
    (array_agg(provider_ref order by start_date desc))[1] as provider_ref,
    (array_agg(end_reason_code order by start_date desc))[1] as end_reason_code,
    (array_agg(project_ref order by start_date))[1] as project_ref
from settings
group by
    council_code,
    person_id,
    placement_id,
    is_short_stay,
    service_type_code,
    independence_order
