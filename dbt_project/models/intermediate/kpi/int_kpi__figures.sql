-- What was calculated, else what a paper or return states; a stated figure is shown beside a calculated one and never
-- takes its place.

with measures as (
    select
        measure_id,
        other_breakdown_code
    from {{ ref('int_kpi__measures') }}
),

targets as (
    select
        council_code,
        measure_id,
        month_end_date,
        annual_target
    from {{ ref('int_kpi__targets') }}
),

calculated as (
    select
        council_code,
        measure_id,
        period_type,
        period_start_date,
        period_end_date,
        breakdown_type,
        breakdown_value,
        numerator,
        denominator,
        base_numerator,
        base_start_date,
        annual_target,
        value as calculated_value,
        is_latest
    from {{ ref('int_kpi__values') }}
),

stated_figures as (
    select
        stated.council_code,
        stated.measure_id,
        stated.period_type,
        stated.period_end_date,
        case
            when stated.other_breakdown_value is null then 'council'
            else coalesce(measures.other_breakdown_code, 'other')
        end as breakdown_type,
        coalesce(stated.other_breakdown_value, stated.council_code) as breakdown_value,
        stated.stated_value,
        stated.stated_text,
        stated.target_value,
        stated.target_text,
        stated.previous_value,
        stated.national_value,
        stated.report_date,
        stated.report_name,
        stated.fact_name,
        stated.fact_key
    from {{ ref('int_kpi__stated') }} as stated
    inner join measures on stated.measure_id = measures.measure_id
),

-- Papers repeat figures and correct them: the newest says it best.
stated as (
    select distinct on (council_code, measure_id, period_type, period_end_date, breakdown_type, breakdown_value)
        *,
        period_end_date = max(period_end_date) over (
            partition by council_code, measure_id, period_type, breakdown_type, breakdown_value
        ) as is_latest
    from stated_figures
    order by
        council_code asc,
        measure_id asc,
        period_type asc,
        period_end_date asc,
        breakdown_type asc,
        breakdown_value asc,
        report_date desc,
        report_name asc,
        fact_key asc
),

figures as (
    select
        coalesce(calculated.council_code, stated.council_code) as council_code,
        coalesce(calculated.measure_id, stated.measure_id) as measure_id,
        coalesce(calculated.period_type, stated.period_type) as period_type,
        coalesce(calculated.period_end_date, stated.period_end_date) as period_end_date,
        coalesce(calculated.breakdown_type, stated.breakdown_type) as breakdown_type,
        coalesce(calculated.breakdown_value, stated.breakdown_value) as breakdown_value,
        calculated.period_start_date,
        calculated.numerator,
        calculated.denominator,
        calculated.base_numerator,
        calculated.base_start_date,
        calculated.annual_target,
        calculated.calculated_value,
        stated.stated_value,
        stated.stated_text,
        stated.target_value,
        stated.target_text,
        stated.previous_value,
        stated.national_value,
        stated.report_date,
        stated.report_name,
        stated.fact_name,
        stated.fact_key,
        calculated.council_code is not null
        and (
            calculated.calculated_value is not null
            or coalesce(stated.stated_value::text, stated.stated_text) is null
        ) as is_calculated,
        coalesce(calculated.is_latest, stated.is_latest) as is_latest
    from calculated
    full join stated
        on
            calculated.council_code = stated.council_code
            and calculated.measure_id = stated.measure_id
            and calculated.period_type = stated.period_type
            and calculated.period_end_date = stated.period_end_date
            and calculated.breakdown_type = stated.breakdown_type
            and calculated.breakdown_value = stated.breakdown_value
)

select
    figures.council_code,
    figures.measure_id,
    figures.period_type,
    figures.period_start_date,
    figures.period_end_date,
    {{ financial_year_start('figures.period_end_date') }} as year_start_date,
    {{ financial_year('figures.period_end_date') }} as financial_year,
    {{ financial_period('figures.period_end_date') }} as period_number,
    figures.is_latest,
    figures.breakdown_type,
    figures.breakdown_value,
    case when figures.is_calculated then 'calculated' else 'reported' end as how_obtained_code,
    case when figures.is_calculated then figures.numerator end::numeric(18, 2) as numerator,
    case when figures.is_calculated then figures.denominator end::numeric(18, 2) as denominator,
    case when figures.is_calculated then figures.base_numerator end::numeric(18, 2) as base_numerator,
    case when figures.is_calculated then figures.base_start_date end as base_start_date,
    case
        when figures.is_calculated then figures.calculated_value
        else figures.stated_value
    end::numeric(18, 2) as value,
    case when not figures.is_calculated then figures.stated_text end as value_text,
    figures.stated_value::numeric(18, 2) as reported_value,
    figures.stated_text as reported_text,
    case
        when figures.is_calculated then coalesce(figures.annual_target, figures.target_value)
        when figures.breakdown_type = 'council' then coalesce(figures.target_value, targets.annual_target)
        else figures.target_value
    end::numeric(18, 2) as annual_target,
    figures.target_text,
    case when not figures.is_calculated then figures.previous_value end::numeric(18, 2) as stated_previous_value,
    figures.national_value::numeric(18, 2) as stated_national_value,
    figures.report_date,
    figures.report_name,
    figures.fact_name,
    figures.fact_key
from figures
left join targets
    on
        figures.council_code = targets.council_code
        and figures.measure_id = targets.measure_id
        and {{ month_end('figures.period_end_date') }} = targets.month_end_date
