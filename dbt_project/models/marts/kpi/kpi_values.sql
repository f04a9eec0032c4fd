with measures as (
    select
        measure_id,
        measure_name,
        unit_code,
        polarity_code,
        target_basis_code,
        tolerance,
        source_name
    from {{ ref('kpi_registry') }}
    where
        valid_from <= {{ as_at() }}
        and (valid_to is null or valid_to > {{ as_at() }})
),

targets as (
    select
        measure_id,
        council_code,
        financial_year,
        annual_target
    from {{ ref('kpi_targets') }}
),

month_ends as (
    select
        council_code,
        measure_id,
        month_end_date,
        year_start_date,
        financial_year,
        period_number,
        is_latest
    from {{ ref('int_calendar__measure_periods') }}
),

freshness as (
    select
        council_code,
        source_name,
        newest_extract_date,
        is_stale
    from {{ ref('int_freshness__sources') }}
),

review_counts as (
    select
        council_code,
        month_end_date,
        age_band,
        reviewed_count,
        supported_count
    from {{ ref('int_reviews__month_end_counts') }}
),

reviews_measured as (
    select
        'K001' as measure_id,
        council_code,
        month_end_date,
        'month_end_snapshot' as period_type,
        case when grouping(age_band) = 1 then 'council' else 'age_band' end as breakdown_type,
        case when grouping(age_band) = 1 then council_code else age_band end as breakdown_value,
        sum(reviewed_count) as numerator,
        sum(supported_count) as denominator,
        100.0 * sum(reviewed_count) / nullif(sum(supported_count), 0) as measured_value
    from review_counts
    group by grouping sets (
        (council_code, month_end_date),
        (council_code, month_end_date, age_band)
    )
),

-- A measure that compares with a base year begins after it.
reablement_measured as (
    select
        'K007' as measure_id,
        council_code,
        period_end_date as month_end_date,
        'year_to_date' as period_type,
        'council' as breakdown_type,
        council_code as breakdown_value,
        completion_to_date_count as numerator,
        null::numeric as denominator,
        additional_completion_count as measured_value
    from {{ ref('kpi_reablement') }}
    where financial_year > base_financial_year
),

moves as (
    select
        council_code,
        move_date
    from {{ ref('int_placements__moves') }}
    where
        direction_code = 'more_independent'
        and age_band = '18-64'
),

moves_measured as (
    select
        month_ends.measure_id,
        month_ends.council_code,
        month_ends.month_end_date,
        'year_to_date' as period_type,
        'council' as breakdown_type,
        month_ends.council_code as breakdown_value,
        count(moves.move_date) as numerator,
        null::numeric as denominator,
        count(moves.move_date) as measured_value
    from month_ends
    left join moves
        on
            month_ends.council_code = moves.council_code
            and moves.move_date between month_ends.year_start_date and month_ends.month_end_date
    where month_ends.measure_id = 'K016'
    group by
        month_ends.measure_id,
        month_ends.council_code,
        month_ends.month_end_date
),

measured as (
    select * from reviews_measured
    union all
    select * from reablement_measured
    union all
    select * from moves_measured
),

-- Values are rounded here, once; everything after compares what readers see.
measured_in_period as (
    select
        measured.measure_id,
        measured.council_code,
        measured.month_end_date,
        measured.period_type,
        measured.breakdown_type,
        measured.breakdown_value,
        measured.numerator,
        measured.denominator,
        round(measured.measured_value, 2) as measured_value,
        month_ends.year_start_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.is_latest
    from measured
    inner join month_ends
        on
            measured.council_code = month_ends.council_code
            and measured.measure_id = month_ends.measure_id
            and measured.month_end_date = month_ends.month_end_date
),

measured_against_target as (
    select
        measured_in_period.*,
        measures.measure_name,
        measures.unit_code,
        measures.polarity_code,
        measures.tolerance,
        measures.source_name,
        case when measured_in_period.breakdown_type = 'council' then targets.annual_target end as annual_target,
        -- R32: 354 a year is 206 after seven months.
        case
            when measured_in_period.breakdown_type <> 'council' then null
            when measures.target_basis_code = 'same_each_period' then targets.annual_target
            when measures.target_basis_code = 'spread_evenly'
                then floor(targets.annual_target * measured_in_period.period_number / 12)
        end as target_to_date
    from measured_in_period
    inner join measures on measured_in_period.measure_id = measures.measure_id
    left join targets
        on
            measured_in_period.measure_id = targets.measure_id
            and measured_in_period.council_code = targets.council_code
            and measured_in_period.financial_year = targets.financial_year
),

measured_with_shortfall as (
    select
        *,
        case polarity_code
            when 'high' then target_to_date - measured_value
            when 'low' then measured_value - target_to_date
        end as shortfall
    from measured_against_target
)

select
    {{ publication_id() }} as publication_id,
    current_period.council_code,
    current_period.measure_id,
    current_period.measure_name,
    current_period.period_type,
    case current_period.period_type
        when 'month_end_snapshot' then to_char(current_period.month_end_date, 'FMMonth YYYY')
        when 'year_to_date'
            then current_period.financial_year || ' to ' || to_char(current_period.month_end_date, 'FMMonth')
    end as period_label,
    current_period.month_end_date as period_end_date,
    {{ as_at() }} as as_at_date,
    current_period.breakdown_type,
    current_period.breakdown_value,
    current_period.numerator::numeric(18, 2) as numerator,
    current_period.denominator::numeric(18, 2) as denominator,
    current_period.measured_value::numeric(18, 2) as value,
    current_period.unit_code,
    current_period.annual_target::numeric(18, 2) as target,
    current_period.target_to_date::numeric(18, 2) as target_to_date,
    current_period.polarity_code,
    previous_period.measured_value::numeric(18, 2) as previous_value,
    same_period_last_year.measured_value::numeric(18, 2) as same_period_last_year_value,
    case
        when current_period.shortfall <= 0 then 'met'
        when current_period.shortfall <= current_period.tolerance then 'within_tolerance'
        when current_period.shortfall > current_period.tolerance then 'not_met'
    end as status_code,
    case
        when
            coalesce(freshness.is_stale, true)
            and (
                current_period.is_latest
                or current_period.month_end_date > coalesce(freshness.newest_extract_date, '-infinity')
            )
            then 'stale_source'
        when current_period.is_latest then 'provisional'
        else 'final'
    end as data_status_code
from measured_with_shortfall as current_period
-- A year to date starts anew in April, so its first month has no previous value.
left join measured_in_period as previous_period
    on
        current_period.measure_id = previous_period.measure_id
        and current_period.council_code = previous_period.council_code
        and current_period.breakdown_type = previous_period.breakdown_type
        and current_period.breakdown_value = previous_period.breakdown_value
        and previous_period.month_end_date
        = (date_trunc('month', current_period.month_end_date::timestamp) - interval '1 day')::date
        and (
            current_period.period_type = 'month_end_snapshot'
            or current_period.year_start_date = previous_period.year_start_date
        )
left join measured_in_period as same_period_last_year
    on
        current_period.measure_id = same_period_last_year.measure_id
        and current_period.council_code = same_period_last_year.council_code
        and current_period.breakdown_type = same_period_last_year.breakdown_type
        and current_period.breakdown_value = same_period_last_year.breakdown_value
        and same_period_last_year.month_end_date
        = {{ month_end("current_period.month_end_date - interval '1 year'") }}
left join freshness
    on
        current_period.council_code = freshness.council_code
        and current_period.source_name = freshness.source_name
