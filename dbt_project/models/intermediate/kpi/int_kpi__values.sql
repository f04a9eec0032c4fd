with measures as (
    select
        measure_id,
        formula_code,
        has_denominator,
        breakdown_types,
        other_breakdown_code,
        base_financial_year,
        make_date(left(base_financial_year, 4)::integer, 4, 1) as base_start_date
    from {{ ref('int_kpi__measures') }}
    where how_obtained_code = 'calculated'
),

month_ends as (
    select
        month_end_date,
        year_start_date,
        financial_year,
        period_number,
        is_latest
    from {{ ref('int_calendar__month_ends') }}
),

contributions as (
    select
        council_code,
        measure_id,
        counted_on_date,
        team_ref,
        age_band,
        support_reason_code,
        other_breakdown_value,
        numerator,
        denominator
    from {{ ref('int_kpi__contributions') }}
),

targets as (
    select
        council_code,
        measure_id,
        month_end_date,
        annual_target
    from {{ ref('int_kpi__targets') }}
),

-- What is not known leaves both numerator and denominator. Adding up to the finest parts first keeps the grouping
-- sets off the long table.
monthly_parts as (
    select
        council_code,
        measure_id,
        date_trunc('month', counted_on_date::timestamp)::date as month_start_date,
        coalesce(team_ref, 'unknown') as team,
        coalesce(age_band, 'unknown') as age_band,
        coalesce(support_reason_code, 'unknown') as support_reason,
        coalesce(other_breakdown_value, 'unknown') as other,
        count(*) as contribution_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from contributions
    where
        numerator is not null
        and counted_on_date <= {{ as_at() }}
    group by
        council_code,
        measure_id,
        date_trunc('month', counted_on_date::timestamp)::date,
        coalesce(team_ref, 'unknown'),
        coalesce(age_band, 'unknown'),
        coalesce(support_reason_code, 'unknown'),
        coalesce(other_breakdown_value, 'unknown')
),

monthly_sets as (
    select
        council_code,
        measure_id,
        month_start_date,
        case
            when grouping(team) = 0 then 'team'
            when grouping(age_band) = 0 then 'age_band'
            when grouping(support_reason) = 0 then 'support_reason'
            when grouping(other) = 0 then 'other'
            else 'council'
        end as breakdown_type,
        coalesce(team, age_band, support_reason, other, council_code) as breakdown_value,
        sum(contribution_count) as contribution_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from monthly_parts
    group by grouping sets (
        (council_code, measure_id, month_start_date),
        (council_code, measure_id, month_start_date, team),
        (council_code, measure_id, month_start_date, age_band),
        (council_code, measure_id, month_start_date, support_reason),
        (council_code, measure_id, month_start_date, other)
    )
),

monthly as materialized (
    select
        monthly_sets.council_code,
        monthly_sets.measure_id,
        monthly_sets.month_start_date,
        case monthly_sets.breakdown_type
            when 'other' then measures.other_breakdown_code
            else monthly_sets.breakdown_type
        end as breakdown_type,
        monthly_sets.breakdown_value,
        monthly_sets.contribution_count,
        monthly_sets.numerator,
        monthly_sets.denominator
    from monthly_sets
    inner join measures
        on
            monthly_sets.measure_id = measures.measure_id
            and monthly_sets.breakdown_type = any(string_to_array(measures.breakdown_types, ' '))
),

-- A measure that compares with a base year begins after it. One that adds the years up begins to count there, too.
periods_held as (
    select
        periods.council_code,
        periods.measure_id,
        periods.period_type,
        case measures.formula_code
            when 'above_base_year_cumulative' then (measures.base_start_date + interval '1 year')::date
            else periods.period_start_date
        end as period_start_date,
        periods.month_end_date,
        periods.year_start_date,
        periods.financial_year,
        periods.period_number,
        periods.is_latest,
        measures.base_start_date,
        coalesce(periods.held_from_date <= measures.base_start_date, false) as is_base_held,
        case measures.formula_code
            when 'above_base_year_cumulative'
                then extract(year from periods.year_start_date) - extract(year from measures.base_start_date) - 1
            else 0
        end as whole_years_since_base,
        true as is_covered
    from {{ ref('int_calendar__measure_periods') }} as periods
    inner join measures on periods.measure_id = measures.measure_id
    where
        measures.base_start_date is null
        or periods.year_start_date > measures.base_start_date
),

-- Without a dataset that would say what is held, a period is shown when something was counted in it.
periods_without_needs as (
    select
        councils.council_code,
        measures.measure_id,
        period_types.period_type,
        {{ period_start('period_types.period_type', 'month_ends.month_end_date') }} as period_start_date,
        month_ends.month_end_date,
        month_ends.year_start_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.is_latest,
        null::date as base_start_date,
        false as is_base_held,
        0 as whole_years_since_base,
        false as is_covered
    from (
        select distinct
            council_code,
            measure_id
        from monthly
    ) as councils
    inner join {{ ref('int_kpi__measures') }} as measures on councils.measure_id = measures.measure_id
    cross join unnest(string_to_array(measures.period_types, ' ')) as period_types (period_type)
    cross join month_ends
    where
        measures.base_financial_year is null
        and measures.measure_id not in (select needs.measure_id from {{ ref('kpi_needs') }} as needs)
        and (period_types.period_type <> 'financial_year' or month_ends.period_number = 12)
        and (period_types.period_type <> 'quarter' or month_ends.period_number % 3 = 0)
),

all_periods as (
    select * from periods_held
    union all
    select * from periods_without_needs
),

periods as (
    select
        all_periods.*,
        targets.annual_target
    from all_periods
    left join targets
        on
            all_periods.council_code = targets.council_code
            and all_periods.measure_id = targets.measure_id
            and all_periods.month_end_date = targets.month_end_date
),

counted as (
    select
        periods.council_code,
        periods.measure_id,
        periods.period_type,
        periods.month_end_date,
        monthly.breakdown_type,
        monthly.breakdown_value,
        sum(monthly.contribution_count) filter (
            where monthly.month_start_date between periods.period_start_date and periods.month_end_date
        ) as contribution_count,
        sum(monthly.numerator) filter (
            where monthly.month_start_date between periods.period_start_date and periods.month_end_date
        ) as numerator,
        sum(monthly.denominator) filter (
            where monthly.month_start_date between periods.period_start_date and periods.month_end_date
        ) as denominator,
        sum(
            monthly.numerator
            * case
                when monthly.month_start_date < periods.base_start_date + make_interval(months => periods.period_number)
                    then periods.whole_years_since_base + 1
                else periods.whole_years_since_base
            end
        ) filter (
            where
            monthly.month_start_date >= periods.base_start_date
            and monthly.month_start_date < periods.base_start_date + interval '1 year'
        ) as base_numerator
    from periods
    inner join monthly
        on
            periods.council_code = monthly.council_code
            and periods.measure_id = monthly.measure_id
            and (
                monthly.month_start_date between periods.period_start_date and periods.month_end_date
                or monthly.month_start_date between periods.base_start_date
                and periods.base_start_date + make_interval(
                    months => case when periods.whole_years_since_base > 0 then 11 else periods.period_number - 1 end
                )
            )
    group by
        periods.council_code,
        periods.measure_id,
        periods.period_type,
        periods.month_end_date,
        monthly.breakdown_type,
        monthly.breakdown_value
),

-- The council has a figure for every period, a part of it where it occurs.
figures as (
    select
        council_code,
        measure_id,
        period_type,
        month_end_date,
        breakdown_type,
        breakdown_value,
        contribution_count,
        numerator,
        denominator,
        base_numerator
    from counted

    union all

    select
        council_code,
        measure_id,
        period_type,
        month_end_date,
        'council' as breakdown_type,
        council_code as breakdown_value,
        null as contribution_count,
        null as numerator,
        null as denominator,
        null as base_numerator
    from periods
    where
        is_covered
        and not exists (
            select 1
            from counted
            where
                counted.council_code = periods.council_code
                and counted.measure_id = periods.measure_id
                and counted.period_type = periods.period_type
                and counted.month_end_date = periods.month_end_date
                and counted.breakdown_type = 'council'
        )
),

figures_with_parts as (
    select
        figures.council_code,
        figures.measure_id,
        figures.period_type,
        periods.period_start_date,
        figures.month_end_date as period_end_date,
        periods.year_start_date,
        periods.financial_year,
        periods.period_number,
        periods.is_latest,
        figures.breakdown_type,
        figures.breakdown_value,
        measures.formula_code,
        coalesce(figures.contribution_count, 0)::bigint as contribution_count,
        coalesce(figures.numerator, 0) as numerator,
        case when measures.has_denominator then coalesce(figures.denominator, 0) end as denominator,
        case when periods.is_base_held then coalesce(figures.base_numerator, 0) end as base_numerator,
        periods.base_start_date,
        case when figures.breakdown_type = 'council' then periods.annual_target end as annual_target
    from figures
    inner join periods
        on
            figures.council_code = periods.council_code
            and figures.measure_id = periods.measure_id
            and figures.period_type = periods.period_type
            and figures.month_end_date = periods.month_end_date
    inner join measures on figures.measure_id = measures.measure_id
)

-- Values are rounded here, once, halves away from zero; everything after compares what readers see.
select
    council_code,
    measure_id,
    period_type,
    period_start_date,
    period_end_date,
    year_start_date,
    financial_year,
    period_number,
    is_latest,
    breakdown_type,
    breakdown_value,
    contribution_count,
    numerator,
    denominator,
    base_numerator,
    base_start_date,
    annual_target,
    round(
        case formula_code
            when 'percent' then 100 * numerator / nullif(denominator, 0)
            when 'average' then numerator / nullif(denominator, 0)
            when 'above_base_year' then numerator - base_numerator
            when 'above_base_year_cumulative' then numerator - base_numerator
            when 'below_base_year' then base_numerator - numerator
            when 'above_target' then numerator - annual_target
            else numerator
        end,
        2
    ) as value
from figures_with_parts
