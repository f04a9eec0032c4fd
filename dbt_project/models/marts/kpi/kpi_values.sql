with measures as (
    select
        measure_id,
        measure_name,
        area_code,
        formula_code,
        unit_code,
        polarity_code,
        target_basis_code,
        tolerance
    from {{ ref('int_kpi__measures') }}
),

figures as (
    select *
    from {{ ref('int_kpi__figures') }}
),

-- A calculated figure is as fresh as all that its measure is made of; a stated one stands until no paper comes.
freshness as (
    select
        council_code,
        'calculated' as how_obtained_code,
        measure_id as made_of,
        newest_extract_date,
        held_through_date,
        is_stale
    from {{ ref('int_freshness__measures') }}

    union all

    select
        council_code,
        'reported' as how_obtained_code,
        fact_name as made_of,
        max(last_extract_date) as newest_extract_date,
        max(last_held_through_date) as held_through_date,
        bool_and(is_silent) as is_stale
    from {{ ref('int_freshness__facts') }}
    group by
        council_code,
        fact_name
),

control_charts as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value,
        centre,
        lower_limit,
        upper_limit,
        side,
        signal_code
    from {{ ref('int_kpi__control_charts') }}
),

national_measures as (
    select
        measure_id,
        measure_code,
        first_financial_year,
        last_financial_year
    from {{ ref('national_measures') }}
),

national_outcomes as (
    select
        outcomes.council_code,
        national_measures.measure_id,
        outcomes.financial_year,
        max(outcomes.outcome_value) as national_value
    from {{ ref('stg_measures__national_outcomes') }} as outcomes
    inner join national_measures
        on
            outcomes.measure_code = national_measures.measure_code
            and outcomes.financial_year >= national_measures.first_financial_year
            and (
                national_measures.last_financial_year is null
                or outcomes.financial_year <= national_measures.last_financial_year
            )
    where outcomes.level_name = any(string_to_array('{{ var("national_level_names") | join(",") }}', ','))
    group by
        outcomes.council_code,
        national_measures.measure_id,
        outcomes.financial_year
),

restated as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value
    from {{ ref('int_kpi__restated') }}
),

figures_against_target as (
    select
        figures.*,
        measures.measure_name,
        measures.area_code,
        measures.formula_code,
        measures.unit_code,
        measures.polarity_code,
        measures.tolerance,
        case figures.how_obtained_code when 'calculated' then figures.measure_id else figures.fact_name end as made_of,
        case
            when figures.breakdown_type <> 'council' then null
            when measures.target_basis_code = 'same_each_period' then figures.annual_target
            when figures.period_type in ('month', 'quarter') then null
            when measures.target_basis_code = 'whole_year' then figures.annual_target
            when measures.target_basis_code <> 'spread_evenly' then null
            when figures.period_type in ('rolling_12_months', 'financial_year') then figures.annual_target
            -- R32: 354 a year is 206 after seven months. Money is cut to the penny, all else to whole ones.
            when measures.unit_code like 'gbp%'
                then floor(100 * figures.annual_target * figures.period_number / 12) / 100
            else floor(figures.annual_target * figures.period_number / 12)
        end as target_to_date,
        rank() over (
            partition by figures.council_code, figures.measure_id
            order by
                (figures.breakdown_type = 'council') desc,
                array_position(
                    array[
                        'month_end', 'year_to_date', 'rolling_12_months', 'financial_year', 'quarter', 'month'
                    ],
                    figures.period_type
                )
        ) as period_place
    from figures
    inner join measures on figures.measure_id = measures.measure_id
),

-- The value of a measure that is stated against its target is already the distance from it.
figures_with_shortfall as (
    select
        *,
        case
            when formula_code = 'above_target' and breakdown_type = 'council' then -1 * value
            when polarity_code = 'high' then target_to_date - value
            when polarity_code = 'low' then value - target_to_date
            when polarity_code = 'maintain' then abs(value - target_to_date)
        end as shortfall
    from figures_against_target
)

select
    {{ publication_id() }} as publication_id,
    current_period.council_code,
    current_period.measure_id,
    current_period.measure_name,
    current_period.area_code,
    current_period.period_type,
    case
        when current_period.period_end_date <> {{ month_end('current_period.period_end_date') }}
            then 'at ' || to_char(current_period.period_end_date, 'FMDD FMMonth YYYY')
        when current_period.period_type in ('month', 'month_end')
            then to_char(current_period.period_end_date, 'FMMonth YYYY')
        when current_period.period_type = 'quarter'
            then 'Quarter ' || (current_period.period_number + 2) / 3 || ', ' || current_period.financial_year
        when current_period.period_type = 'year_to_date'
            then current_period.financial_year || ' to ' || to_char(current_period.period_end_date, 'FMMonth')
        when current_period.period_type = 'rolling_12_months'
            then '12 months to ' || to_char(current_period.period_end_date, 'FMMonth YYYY')
        else current_period.financial_year
    end as period_label,
    current_period.period_start_date,
    current_period.period_end_date,
    current_period.financial_year,
    {{ as_at() }} as as_at_date,
    current_period.breakdown_type,
    current_period.breakdown_value,
    current_period.how_obtained_code,
    current_period.numerator,
    current_period.denominator,
    current_period.base_start_date,
    current_period.base_numerator,
    current_period.value,
    current_period.value_text,
    current_period.unit_code,
    current_period.annual_target::numeric(18, 2) as target,
    current_period.target_text,
    current_period.target_to_date::numeric(18, 2) as target_to_date,
    current_period.polarity_code,
    coalesce(current_period.stated_previous_value, previous_period.value)::numeric(18, 2) as previous_value,
    same_period_last_year.value::numeric(18, 2) as same_period_last_year_value,
    case
        when current_period.breakdown_type = 'council'
            then coalesce(current_period.stated_national_value, national_outcomes.national_value)
    end::numeric(18, 2) as national_value,
    current_period.reported_value,
    current_period.reported_text,
    current_period.report_date,
    current_period.report_name,
    case
        when current_period.shortfall <= 0 then 'met'
        when current_period.shortfall <= current_period.tolerance then 'within_tolerance'
        when current_period.shortfall > current_period.tolerance then 'not_met'
    end as status_code,
    control_charts.centre::numeric(18, 2) as spc_centre,
    control_charts.lower_limit::numeric(18, 2) as spc_lower_limit,
    control_charts.upper_limit::numeric(18, 2) as spc_upper_limit,
    control_charts.signal_code as spc_signal_code,
    case
        when control_charts.signal_code = 'common_cause' then 'common_cause'
        when control_charts.side = 0 or control_charts.side is null then null
        when current_period.polarity_code not in ('high', 'low')
            then case control_charts.side when 1 then 'special_cause_high' else 'special_cause_low' end
        when (control_charts.side = 1) = (current_period.polarity_code = 'high') then 'special_cause_improvement'
        else 'special_cause_concern'
    end as spc_variation_code,
    case
        when control_charts.signal_code is null or current_period.target_to_date is null then null
        when current_period.polarity_code not in ('high', 'low') then null
        when current_period.target_to_date > control_charts.upper_limit
            then case current_period.polarity_code when 'high' then 'consistent_fail' else 'consistent_pass' end
        when current_period.target_to_date < control_charts.lower_limit
            then case current_period.polarity_code when 'high' then 'consistent_pass' else 'consistent_fail' end
        else 'inconsistent'
    end as spc_assurance_code,
    case
        when
            (freshness.is_stale or (freshness.is_stale is null and current_period.how_obtained_code = 'calculated'))
            and (
                current_period.is_latest
                or current_period.period_end_date > coalesce(freshness.newest_extract_date, '-infinity')
                or {{ month_end('current_period.period_end_date + 1') }} > freshness.held_through_date
            )
            then 'stale_source'
        when restated.measure_id is not null then 'restated'
        when current_period.is_latest and current_period.how_obtained_code = 'calculated' then 'provisional'
        else 'final'
    end as data_status_code,
    current_period.breakdown_type = 'council' and current_period.period_place = 1 as is_headline,
    current_period.fact_name as stated_fact_name,
    current_period.fact_key as stated_fact_key
from figures_with_shortfall as current_period
-- A year to date starts anew in April, so its first month has no previous value. A quarter follows a quarter.
left join figures as previous_period
    on
        current_period.measure_id = previous_period.measure_id
        and current_period.council_code = previous_period.council_code
        and current_period.period_type = previous_period.period_type
        and current_period.breakdown_type = previous_period.breakdown_type
        and current_period.breakdown_value = previous_period.breakdown_value
        and previous_period.period_end_date
        = (
            date_trunc('month', current_period.period_end_date::timestamp)
            - case current_period.period_type
                when 'quarter' then interval '2 months'
                when 'financial_year' then interval '11 months'
                else interval '0 months'
            end
            - interval '1 day'
        )::date
        and (
            current_period.period_type <> 'year_to_date'
            or current_period.year_start_date = previous_period.year_start_date
        )
left join figures as same_period_last_year
    on
        current_period.measure_id = same_period_last_year.measure_id
        and current_period.council_code = same_period_last_year.council_code
        and current_period.period_type = same_period_last_year.period_type
        and current_period.breakdown_type = same_period_last_year.breakdown_type
        and current_period.breakdown_value = same_period_last_year.breakdown_value
        and same_period_last_year.period_end_date
        = {{ month_end("current_period.period_end_date - interval '1 year'") }}
left join freshness
    on
        current_period.council_code = freshness.council_code
        and current_period.how_obtained_code = freshness.how_obtained_code
        and current_period.made_of = freshness.made_of
left join control_charts
    on
        current_period.how_obtained_code = 'calculated'
        and current_period.council_code = control_charts.council_code
        and current_period.measure_id = control_charts.measure_id
        and current_period.period_type = control_charts.period_type
        and current_period.period_end_date = control_charts.period_end_date
        and current_period.breakdown_type = control_charts.breakdown_type
        and current_period.breakdown_value = control_charts.breakdown_value
left join national_outcomes
    on
        current_period.council_code = national_outcomes.council_code
        and current_period.measure_id = national_outcomes.measure_id
        and current_period.financial_year = national_outcomes.financial_year
left join restated
    on
        current_period.council_code = restated.council_code
        and current_period.measure_id = restated.measure_id
        and current_period.period_type = restated.period_type
        and current_period.period_end_date = restated.period_end_date
        and current_period.breakdown_type = restated.breakdown_type
        and current_period.breakdown_value = restated.breakdown_value
