-- The one setting in force for each person over time. Overlapping services are normal; the setting hierarchy, which is
-- data, says which one counts.

with placements as (
    select
        council_code,
        person_id,
        service_type_code,
        overlap_priority,
        independence_order,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where
        is_long_term
        and is_accommodation
),

-- Days on which anything may change for a person.
change_days as (
    select
        council_code,
        person_id,
        start_date as change_date
    from placements

    union

    select
        council_code,
        person_id,
        end_date + 1 as change_date
    from placements
    where end_date is not null
),

slices as (
    select
        council_code,
        person_id,
        change_date as start_date,
        lead(change_date) over (partition by council_code, person_id order by change_date) - 1 as end_date
    from change_days
),

-- Cost of a setting in a slice: all its rows together, and unknown when any of them has no price.
settings_in_slices as (
    select
        slices.council_code,
        slices.person_id,
        slices.start_date,
        slices.end_date,
        placements.service_type_code,
        placements.overlap_priority,
        placements.independence_order,
        case when count(*) = count(placements.weekly_cost_gbp) then sum(placements.weekly_cost_gbp) end
            as weekly_cost_gbp
    from slices
    inner join placements
        on
            slices.council_code = placements.council_code
            and slices.person_id = placements.person_id
            and slices.start_date >= placements.start_date
            and (placements.end_date is null or slices.start_date <= placements.end_date)
    group by
        slices.council_code,
        slices.person_id,
        slices.start_date,
        slices.end_date,
        placements.service_type_code,
        placements.overlap_priority,
        placements.independence_order
),

slices_in_force as (
    select distinct on (council_code, person_id, start_date)
        council_code,
        person_id,
        start_date,
        end_date,
        service_type_code,
        independence_order,
        weekly_cost_gbp
    from settings_in_slices
    order by council_code, person_id, start_date, overlap_priority, service_type_code
),

slices_with_previous as (
    select
        *,
        lag(service_type_code) over (partition by council_code, person_id order by start_date)
            as previous_service_type_code,
        lag(end_date) over (partition by council_code, person_id order by start_date) as previous_end_date
    from slices_in_force
),

slices_with_first as (
    select
        *,
        coalesce(previous_service_type_code <> service_type_code or previous_end_date + 1 <> start_date, true)
            as starts_stay
    from slices_with_previous
),

slices_with_stay as (
    select
        *,
        count(*) filter (where starts_stay) over (partition by council_code, person_id order by start_date)
            as stay_number
    from slices_with_first
)

select
    council_code,
    person_id,
    service_type_code,
    independence_order,
    min(start_date) as start_date,
    nullif(max(coalesce(end_date, 'infinity')), 'infinity') as end_date,
    (array_agg(weekly_cost_gbp order by start_date))[1]::numeric(16, 2) as first_weekly_cost_gbp,
    (array_agg(weekly_cost_gbp order by start_date desc))[1]::numeric(16, 2) as last_weekly_cost_gbp
from slices_with_stay
group by
    council_code,
    person_id,
    service_type_code,
    independence_order,
    stay_number
