-- A move: a stay ends and one in another setting starts soon enough after. Coming back to the same setting is no move,
-- and neither is a short stay or the return from it.

with stays as (
    select
        council_code,
        person_id,
        placement_id,
        service_type_code,
        independence_order,
        start_date,
        end_date,
        first_weekly_cost_gbp,
        last_weekly_cost_gbp,
        first_element_ref,
        first_split_number,
        last_element_ref,
        last_split_number,
        project_ref
    from {{ ref('int_placements__stays') }}
    where not is_short_stay
),

persons as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('int_persons__support_reasons') }}
),

projects_of_additional_moves as (
    select
        council_code,
        project_ref
    from {{ ref('measure_projects') }}
    where measure_id = 'K018'
),

stays_with_previous as (
    select
        *,
        lag(placement_id) over earlier_stays as previous_placement_id,
        lag(service_type_code) over earlier_stays as previous_service_type_code,
        lag(independence_order) over earlier_stays as previous_independence_order,
        lag(end_date) over earlier_stays as previous_end_date,
        lag(last_weekly_cost_gbp) over earlier_stays as previous_weekly_cost_gbp,
        lag(last_element_ref) over earlier_stays as previous_element_ref,
        lag(last_split_number) over earlier_stays as previous_split_number
    from stays
    window earlier_stays as (partition by council_code, person_id order by start_date)
),

moves as (
    select
        stays_with_previous.*,
        stays_with_previous.start_date - stays_with_previous.previous_end_date - 1 as days_between,
        case
            when stays_with_previous.independence_order > stays_with_previous.previous_independence_order
                then 'more_independent'
            when stays_with_previous.independence_order < stays_with_previous.previous_independence_order
                then 'less_independent'
            else 'same'
        end as direction_code,
        {{ age_band('persons.birth_date', 'stays_with_previous.start_date') }} as age_band
    from stays_with_previous
    inner join persons
        on
            stays_with_previous.council_code = persons.council_code
            and stays_with_previous.person_id = persons.person_id
    where
        stays_with_previous.service_type_code <> stays_with_previous.previous_service_type_code
        and stays_with_previous.start_date - stays_with_previous.previous_end_date - 1
        <= {{ var('placement_move_gap_days') }}
)

select
    moves.council_code,
    moves.placement_id as move_id,
    moves.person_id,
    moves.start_date as move_date,
    moves.previous_placement_id as from_placement_id,
    moves.placement_id as to_placement_id,
    moves.previous_service_type_code as from_service_type_code,
    moves.service_type_code as to_service_type_code,
    moves.direction_code,
    moves.days_between,
    moves.previous_weekly_cost_gbp::numeric(16, 2) as weekly_cost_before_gbp,
    moves.first_weekly_cost_gbp::numeric(16, 2) as weekly_cost_after_gbp,
    moves.age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    moves.project_ref,
    -- R35: additional moves are in addition, so a move counts for one measure.
    case
        when moves.direction_code <> 'more_independent' or moves.age_band <> '18-64' then null
        when projects_of_additional_moves.project_ref is not null then 'K018'
        else 'K016'
    end as measure_id,
    moves.previous_element_ref as from_element_ref,
    moves.previous_split_number as from_split_number,
    moves.first_element_ref as to_element_ref,
    moves.first_split_number as to_split_number
from moves
left join projects_of_additional_moves
    on
        moves.council_code = projects_of_additional_moves.council_code
        and moves.project_ref = projects_of_additional_moves.project_ref
left join support_reasons
    on
        moves.council_code = support_reasons.council_code
        and moves.person_id = support_reasons.person_id
        and moves.start_date >= support_reasons.start_date
        and (support_reasons.end_date is null or moves.start_date <= support_reasons.end_date)
