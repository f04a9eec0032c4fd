-- Paste-ready: a row for each month of which services are held, and each setting in which people are placed.

with months as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
    from {{ ref('int_calendar__coverage') }} as coverage
    inner join {{ ref('int_calendar__month_ends') }} as month_ends
        on
            month_ends.month_end_date between coverage.held_from_date and coverage.held_through_date
            and month_ends.month_end_date <= {{ held_through('coverage.council_code', ['fct_placements']) }}
    where coverage.dataset_code = 'services'
),

settings as (
    select
        service_type_code,
        setting_label,
        independence_order
    from {{ ref('setting_hierarchy') }}
    where
        is_long_term
        and is_accommodation
),

stock as (
    select
        council_code,
        month_end_date,
        service_type_code,
        count(*) filter (where not is_short_stay)::integer as people_count,
        count(*) filter (where not is_short_stay and age_band = '18-64')::integer as younger_adult_count,
        count(*) filter (where not is_short_stay and age_band = '65+')::integer as older_adult_count,
        count(*) filter (where is_short_stay)::integer as short_stay_count,
        count(*) filter (where not is_short_stay and weekly_cost_gbp is null)::integer as unpriced_count,
        avg(weekly_cost_gbp) filter (where not is_short_stay) as average_weekly_cost_gbp,
        avg(weekly_cost_gbp) filter (where not is_short_stay and age_band = '18-64')
            as younger_adult_average_weekly_cost_gbp,
        avg(net_weekly_cost_gbp) filter (where not is_short_stay and age_band = '18-64')
            as younger_adult_average_net_weekly_cost_gbp
    from {{ ref('int_placements__month_ends') }}
    group by
        council_code,
        month_end_date,
        service_type_code
),

starts as (
    select
        council_code,
        {{ month_end('start_date') }} as month_end_date,
        service_type_code,
        count(*)::integer as start_count
    from {{ ref('int_placements__stays') }}
    where not is_short_stay
    group by
        council_code,
        {{ month_end('start_date') }},
        service_type_code
),

ends as (
    select
        council_code,
        {{ month_end('end_date') }} as month_end_date,
        service_type_code,
        count(*)::integer as end_count
    from {{ ref('int_placements__stays') }}
    where
        not is_short_stay
        and end_date is not null
    group by
        council_code,
        {{ month_end('end_date') }},
        service_type_code
),

moves_in as (
    select
        council_code,
        {{ month_end('move_date') }} as month_end_date,
        to_service_type_code as service_type_code,
        count(*)::integer as move_in_count,
        count(*) filter (where direction_code = 'more_independent')::integer as more_independent_move_in_count,
        count(*) filter (where direction_code = 'less_independent')::integer as less_independent_move_in_count,
        count(*) filter (where weekly_cost_after_gbp > weekly_cost_before_gbp)::integer as dearer_move_in_count
    from {{ ref('int_placements__moves') }}
    group by
        council_code,
        {{ month_end('move_date') }},
        to_service_type_code
),

moves_out as (
    select
        council_code,
        {{ month_end('move_date') }} as month_end_date,
        from_service_type_code as service_type_code,
        count(*)::integer as move_out_count,
        count(*) filter (where direction_code = 'more_independent')::integer as more_independent_move_out_count,
        count(*) filter (where direction_code = 'less_independent')::integer as less_independent_move_out_count
    from {{ ref('int_placements__moves') }}
    group by
        council_code,
        {{ month_end('move_date') }},
        from_service_type_code
)

select
    {{ publication_id() }} as publication_id,
    months.council_code,
    months.month_end_date as period_end_date,
    settings.service_type_code,
    months.financial_year,
    months.period_number,
    settings.setting_label,
    settings.independence_order,
    coalesce(stock.people_count, 0) as people_count,
    coalesce(stock.younger_adult_count, 0) as younger_adult_count,
    coalesce(stock.older_adult_count, 0) as older_adult_count,
    coalesce(stock.short_stay_count, 0) as short_stay_count,
    round(stock.average_weekly_cost_gbp, 2)::numeric(16, 2) as average_weekly_cost_gbp,
    round(stock.younger_adult_average_weekly_cost_gbp, 2)::numeric(16, 2) as younger_adult_average_weekly_cost_gbp,
    round(stock.younger_adult_average_net_weekly_cost_gbp, 2)::numeric(16, 2)
        as younger_adult_average_net_weekly_cost_gbp,
    coalesce(stock.unpriced_count, 0) as unpriced_count,
    coalesce(starts.start_count, 0) as start_count,
    coalesce(ends.end_count, 0) as end_count,
    coalesce(moves_in.move_in_count, 0) as move_in_count,
    coalesce(moves_in.more_independent_move_in_count, 0) as more_independent_move_in_count,
    coalesce(moves_in.less_independent_move_in_count, 0) as less_independent_move_in_count,
    coalesce(moves_in.dearer_move_in_count, 0) as dearer_move_in_count,
    coalesce(moves_out.move_out_count, 0) as move_out_count,
    coalesce(moves_out.more_independent_move_out_count, 0) as more_independent_move_out_count,
    coalesce(moves_out.less_independent_move_out_count, 0) as less_independent_move_out_count,
    {{ as_at() }} as as_at_date,
    {{ data_status_code('months.council_code', ['fct_placements'], 'months.month_end_date') }} as data_status_code
from months
cross join settings
left join stock
    on
        months.council_code = stock.council_code
        and months.month_end_date = stock.month_end_date
        and settings.service_type_code = stock.service_type_code
left join starts
    on
        months.council_code = starts.council_code
        and months.month_end_date = starts.month_end_date
        and settings.service_type_code = starts.service_type_code
left join ends
    on
        months.council_code = ends.council_code
        and months.month_end_date = ends.month_end_date
        and settings.service_type_code = ends.service_type_code
left join moves_in
    on
        months.council_code = moves_in.council_code
        and months.month_end_date = moves_in.month_end_date
        and settings.service_type_code = moves_in.service_type_code
left join moves_out
    on
        months.council_code = moves_out.council_code
        and months.month_end_date = moves_out.month_end_date
        and settings.service_type_code = moves_out.service_type_code
