-- What moves and placements contribute to K016 to K020.

with moves as (
    select
        council_code,
        move_id,
        person_id,
        move_date,
        to_service_type_code,
        weekly_cost_before_gbp,
        weekly_cost_after_gbp,
        age_band,
        support_reason_code,
        measure_id
    from {{ ref('int_placements__moves') }}
),

placements_at_month_ends as (
    select
        council_code,
        month_end_date,
        person_id,
        placement_id,
        is_short_stay,
        service_type_code,
        age_band,
        support_reason_code,
        counted_weekly_cost_gbp
    from {{ ref('int_placements__month_ends') }}
),

homes as (
    select
        council_code,
        month_end_date,
        person_id,
        age_band,
        support_reason_code,
        fact_name,
        fact_key,
        is_own_home_or_family
    from {{ ref('int_placements__homes_at_month_ends') }}
),

counted_moves as (
    select
        council_code,
        measure_id,
        move_date as counted_on_date,
        move_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        to_service_type_code as other_breakdown_value,
        1 as numerator,
        null::numeric as denominator
    from moves
    where measure_id is not null
),

dearer_moves as (
    select
        council_code,
        'K017' as measure_id,
        move_date as counted_on_date,
        move_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        to_service_type_code as other_breakdown_value,
        case when weekly_cost_after_gbp > weekly_cost_before_gbp then 1 else 0 end as numerator,
        1 as denominator
    from moves
    where
        measure_id = 'K016'
        and weekly_cost_before_gbp is not null
        and weekly_cost_after_gbp is not null
),

costs as (
    select
        council_code,
        'K019' as measure_id,
        month_end_date as counted_on_date,
        placement_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        service_type_code as other_breakdown_value,
        counted_weekly_cost_gbp as numerator,
        1 as denominator
    from placements_at_month_ends
    where
        not is_short_stay
        and age_band = '18-64'
        and counted_weekly_cost_gbp is not null
),

all_contributions as (
    select
        'fct_placement_moves' as fact_name,
        counted_moves.*
    from counted_moves

    union all

    select
        'fct_placement_moves' as fact_name,
        dearer_moves.*
    from dearer_moves

    union all

    select
        'fct_placements' as fact_name,
        costs.*
    from costs

    union all

    select
        fact_name,
        council_code,
        'K020' as measure_id,
        month_end_date as counted_on_date,
        fact_key,
        person_id,
        age_band,
        support_reason_code,
        null as other_breakdown_value,
        case when is_own_home_or_family then 1 else 0 end as numerator,
        1 as denominator
    from homes
)

select
    council_code,
    measure_id,
    counted_on_date,
    fact_name,
    fact_key,
    person_id,
    null::text as team_ref,
    age_band,
    support_reason_code,
    other_breakdown_value,
    numerator::numeric as numerator,
    denominator::numeric as denominator
from all_contributions
