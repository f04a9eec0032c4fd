-- What Shared Lives avoids a year, compared with each other setting (R39): as a paper's average costs state it, and as
-- the placements of the council show it at month ends.

with accommodation_costs as (
    select
        council_code,
        report_date,
        accommodation_type,
        cost_year,
        average_weekly_cost_gbp
    from {{ ref('stg_measures__accommodation_costs') }}
),

accommodation_types as (
    select
        council_code,
        accommodation_type,
        service_type_code
    from {{ ref('accommodation_types') }}
),

placement_counts as (
    select
        council_code,
        report_date,
        placement_count
    from {{ ref('shared_lives_placement_counts') }}
),

placements as (
    select
        council_code,
        month_end_date,
        service_type_code,
        counted_weekly_cost_gbp
    from {{ ref('int_placements__month_ends') }}
    where
        not is_short_stay
        and age_band = '18-64'
        and counted_weekly_cost_gbp is not null
),

stated_costs as (
    select
        accommodation_costs.council_code,
        'stated' as basis_code,
        accommodation_costs.report_date,
        accommodation_costs.cost_year,
        least(accommodation_costs.report_date, make_date(accommodation_costs.cost_year, 12, 31)) as period_end_date,
        accommodation_costs.accommodation_type,
        accommodation_types.service_type_code,
        accommodation_costs.average_weekly_cost_gbp as total_weekly_cost_gbp,
        1 as averaged_count,
        placement_counts.placement_count
    from accommodation_costs
    inner join accommodation_types
        on
            accommodation_costs.council_code = accommodation_types.council_code
            and accommodation_costs.accommodation_type = accommodation_types.accommodation_type
    left join placement_counts
        on
            accommodation_costs.council_code = placement_counts.council_code
            and accommodation_costs.report_date = placement_counts.report_date
),

calculated_costs as (
    select
        council_code,
        'calculated' as basis_code,
        null::date as report_date,
        null::integer as cost_year,
        month_end_date as period_end_date,
        null::text as accommodation_type,
        service_type_code,
        sum(counted_weekly_cost_gbp) as total_weekly_cost_gbp,
        count(*)::integer as averaged_count,
        sum(count(*) filter (where service_type_code = 'shared_lives')) over (
            partition by council_code, month_end_date
        )::integer as placement_count
    from placements
    group by
        council_code,
        month_end_date,
        service_type_code
),

all_costs as (
    select * from stated_costs
    union all
    select * from calculated_costs
),

compared as (
    select
        alternatives.*,
        alternatives.total_weekly_cost_gbp / alternatives.averaged_count as average_weekly_cost_gbp,
        shared_lives.total_weekly_cost_gbp / shared_lives.averaged_count as shared_lives_weekly_cost_gbp,
        -- Multiplied before it is divided: an average cut at its last digit would lose the half penny of a tie.
        alternatives.total_weekly_cost_gbp * alternatives.placement_count / alternatives.averaged_count
        - shared_lives.total_weekly_cost_gbp * alternatives.placement_count / shared_lives.averaged_count
            as weekly_cost_avoided_gbp
    from all_costs as alternatives
    inner join all_costs as shared_lives
        on
            alternatives.council_code = shared_lives.council_code
            and alternatives.basis_code = shared_lives.basis_code
            and alternatives.period_end_date = shared_lives.period_end_date
            and alternatives.report_date is not distinct from shared_lives.report_date
            and shared_lives.service_type_code = 'shared_lives'
)

select
    council_code,
    basis_code,
    report_date,
    cost_year,
    period_end_date,
    accommodation_type,
    service_type_code,
    average_weekly_cost_gbp::numeric(28, 12) as average_weekly_cost_gbp,
    shared_lives_weekly_cost_gbp::numeric(28, 12) as shared_lives_weekly_cost_gbp,
    (average_weekly_cost_gbp - shared_lives_weekly_cost_gbp)::numeric(28, 12) as weekly_difference_gbp,
    placement_count,
    {{ cost_of_a_year('(average_weekly_cost_gbp - shared_lives_weekly_cost_gbp)') }}::numeric(28, 12)
        as yearly_difference_gbp,
    {{ cost_of_a_year('weekly_cost_avoided_gbp') }}::numeric(28, 8) as cost_avoided_gbp
from compared
