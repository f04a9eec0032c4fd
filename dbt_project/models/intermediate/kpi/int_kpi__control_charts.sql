-- Each point of a monthly series against the limits of the whole series: an XmR chart. A series of years to date or of
-- figures that look back over more than the month has none, since each of its points holds most of the one before; nor
-- has one that never moved.

with figures as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value,
        value as measured_value
    from {{ ref('int_kpi__values') }}
    where
        period_type in ('month', 'month_end')
        and value is not null
),

measures as (
    select
        measure_id,
        is_charted
    from {{ ref('int_kpi__measures') }}
),

measures_looking_back as (
    select needs.measure_id
    from {{ ref('kpi_needs') }} as needs
    where
        (needs.month_count > 1 or needs.is_since_year_start)
        and needs.valid_from <= {{ as_at() }}
),

points as (
    select
        figures.*,
        abs(figures.measured_value - lag(figures.measured_value) over series) as moving_range,
        sign(figures.measured_value - lag(figures.measured_value) over series) as step_sign,
        count(*) over (
            partition by
                figures.council_code,
                figures.measure_id,
                figures.period_type,
                figures.breakdown_type,
                figures.breakdown_value
        ) as point_count
    from figures
    inner join measures on figures.measure_id = measures.measure_id
    where
        measures.is_charted
        and figures.measure_id not in (select measures_looking_back.measure_id from measures_looking_back)
    window
        series as (
            partition by
                figures.council_code,
                figures.measure_id,
                figures.period_type,
                figures.breakdown_type,
                figures.breakdown_value
            order by figures.period_end_date
        )
),

-- A single jump must not widen the limits that are to show it; where nothing but jumps remains, they are the limits.
ranges as (
    select
        council_code,
        measure_id,
        period_type,
        breakdown_type,
        breakdown_value,
        avg(measured_value) as centre,
        avg(moving_range) as mean_moving_range
    from points
    where point_count >= {{ var('spc_minimum_points') }}
    group by
        council_code,
        measure_id,
        period_type,
        breakdown_type,
        breakdown_value
    having avg(moving_range) > 0
),

screened_ranges as (
    select
        ranges.council_code,
        ranges.measure_id,
        ranges.period_type,
        ranges.breakdown_type,
        ranges.breakdown_value,
        ranges.centre,
        coalesce(
            nullif(
                avg(points.moving_range) filter (
                    where
                    points.moving_range < 3.267 * ranges.mean_moving_range
                    and {{ var('spc_screens_outliers') }}
                ),
                0
            ),
            ranges.mean_moving_range
        ) as mean_moving_range
    from ranges
    inner join points
        on
            ranges.council_code = points.council_code
            and ranges.measure_id = points.measure_id
            and ranges.period_type = points.period_type
            and ranges.breakdown_type = points.breakdown_type
            and ranges.breakdown_value = points.breakdown_value
    group by
        ranges.council_code,
        ranges.measure_id,
        ranges.period_type,
        ranges.breakdown_type,
        ranges.breakdown_value,
        ranges.centre,
        ranges.mean_moving_range
),

limits as (
    select
        *,
        centre - 2.66 * mean_moving_range as lower_limit,
        centre + 2.66 * mean_moving_range as upper_limit
    from screened_ranges
),

placed as (
    select
        points.council_code,
        points.measure_id,
        points.period_type,
        points.period_end_date,
        points.breakdown_type,
        points.breakdown_value,
        points.measured_value,
        points.step_sign,
        limits.centre,
        limits.lower_limit,
        limits.upper_limit,
        sign(points.measured_value - limits.centre) as side,
        points.measured_value not between limits.lower_limit and limits.upper_limit as is_outside,
        (
            points.measured_value between limits.lower_limit and limits.upper_limit
            and abs(points.measured_value - limits.centre) > 2 * (limits.upper_limit - limits.centre) / 3
        )::integer as near_limit
    from points
    inner join limits
        on
            points.council_code = limits.council_code
            and points.measure_id = limits.measure_id
            and points.period_type = limits.period_type
            and points.breakdown_type = limits.breakdown_type
            and points.breakdown_value = limits.breakdown_value
),

-- Each run is seen at its last point.
run_ends as (
    select
        *,
        (abs(sum(side) over (series rows between 6 preceding and current row)) = 7)::integer as ends_shift,
        (abs(sum(step_sign) over (series rows between 5 preceding and current row)) = 6)::integer as ends_trend,
        (
            abs(sum(side) over (series rows between 2 preceding and current row)) = 3
            and sum(near_limit) over (series rows between 2 preceding and current row) >= 2
        )::integer as ends_two_in_three
    from placed
    window
        series as (
            partition by council_code, measure_id, period_type, breakdown_type, breakdown_value
            order by period_end_date
        )
),

-- All points of a run are flagged, not only its last.
runs as (
    select
        *,
        max(ends_shift) over (series rows between current row and 6 following) = 1 as is_in_shift,
        max(ends_trend) over (series rows between current row and 6 following) = 1 as is_in_trend,
        near_limit = 1
        and max(ends_two_in_three) over (series rows between current row and 2 following) = 1 as is_in_two_in_three
    from run_ends
    window
        series as (
            partition by council_code, measure_id, period_type, breakdown_type, breakdown_value
            order by period_end_date
        )
)

select
    council_code,
    measure_id,
    period_type,
    period_end_date,
    breakdown_type,
    breakdown_value,
    round(centre, 2) as centre,
    round(lower_limit, 2) as lower_limit,
    round(upper_limit, 2) as upper_limit,
    side,
    case
        when is_outside then 'outside_limits'
        when is_in_trend then 'trend'
        when is_in_two_in_three then 'two_in_three'
        when is_in_shift then 'shift'
        else 'common_cause'
    end as signal_code
from runs
