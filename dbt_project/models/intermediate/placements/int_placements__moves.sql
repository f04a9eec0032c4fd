-- A move: a stay ends and one in another setting starts soon enough after. Coming back to the same setting is no move.

with stays as (
    select
        council_code,
        person_id,
        service_type_code,
        independence_order,
        start_date,
        end_date,
        first_weekly_cost_gbp,
        last_weekly_cost_gbp
    from {{ ref('int_placements__stays') }}
),

persons as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

stays_with_previous as (
    select
        council_code,
        person_id,
        service_type_code,
        independence_order,
        start_date,
        first_weekly_cost_gbp,
        lag(service_type_code) over earlier_stays as previous_service_type_code,
        lag(independence_order) over earlier_stays as previous_independence_order,
        lag(end_date) over earlier_stays as previous_end_date,
        lag(last_weekly_cost_gbp) over earlier_stays as previous_weekly_cost_gbp
    from stays
    window earlier_stays as (partition by council_code, person_id order by start_date)
),

moves as (
    select
        *,
        start_date - previous_end_date - 1 as days_between
    from stays_with_previous
    where
        service_type_code <> previous_service_type_code
        and start_date - previous_end_date - 1 <= {{ var('placement_move_gap_days') }}
)

select
    moves.council_code,
    moves.person_id,
    moves.start_date as move_date,
    moves.previous_service_type_code as from_service_type_code,
    moves.service_type_code as to_service_type_code,
    case
        when moves.independence_order > moves.previous_independence_order then 'more_independent'
        when moves.independence_order < moves.previous_independence_order then 'less_independent'
        else 'same'
    end as direction_code,
    moves.days_between,
    moves.previous_weekly_cost_gbp::numeric(16, 2) as weekly_cost_before_gbp,
    moves.first_weekly_cost_gbp::numeric(16, 2) as weekly_cost_after_gbp,
    {{ age_band('persons.birth_date', 'moves.start_date') }} as age_band
from moves
inner join persons
    on
        moves.council_code = persons.council_code
        and moves.person_id = persons.person_id
