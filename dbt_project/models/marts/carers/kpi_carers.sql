-- What carers were given in their own right, by month.

with month_ends as (
    select
        month_end_date,
        date_trunc('month', month_end_date::timestamp)::date as month_start_date,
        financial_year,
        period_number
    from {{ ref('int_calendar__month_ends') }}
),

coverage as (
    select
        council_code,
        dataset_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code in ('carer_support')
),

-- A month that the extracts do not hold has no row: it would be low for want of data.
months_held as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
    from month_ends
    inner join coverage
        on
            month_ends.month_start_date >= coverage.held_from_date
            and month_ends.month_end_date <= coverage.held_through_date
    group by
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
),

carer_support as (
    select
        council_code,
        person_id,
        support_code,
        start_date,
        cost_gbp
    from {{ ref('int_carers__support') }}
),

support_by_month_end as (
    select
        council_code,
        {{ month_end('start_date') }} as month_end_date,
        count(*) filter (where support_code = 'advice') as advice_count,
        count(*) filter (where support_code = 'assessment') as assessment_count,
        count(*) filter (where support_code = 'payment') as payment_count,
        count(*) filter (where support_code = 'break') as break_count,
        count(distinct person_id) as carer_count,
        sum(cost_gbp) as cost_gbp
    from carer_support
    group by
        council_code,
        {{ month_end('start_date') }}
),

kpi_figures as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        numerator,
        denominator,
        base_numerator,
        value
    from {{ ref('int_kpi__values') }}
    where
        breakdown_type = 'council'
        and measure_id in ('K054', 'K055')
),

figures_by_month_end as (
    select
        council_code,
        period_end_date,
        max(value) filter (where measure_id = 'K054' and period_type = 'year_to_date') as carers_advised_to_date_count,
        max(value) filter (where measure_id = 'K055' and period_type = 'year_to_date') as carers_supported_to_date_count
    from kpi_figures
    group by
        council_code,
        period_end_date
)

select
    {{ publication_id() }} as publication_id,
    months_held.council_code,
    months_held.month_end_date as period_end_date,
    months_held.financial_year,
    months_held.period_number,
    coalesce(support_by_month_end.advice_count, 0)::bigint as advice_count,
    coalesce(support_by_month_end.assessment_count, 0)::bigint as assessment_count,
    coalesce(support_by_month_end.payment_count, 0)::bigint as payment_count,
    coalesce(support_by_month_end.break_count, 0)::bigint as break_count,
    coalesce(support_by_month_end.carer_count, 0)::bigint as carer_count,
    coalesce(support_by_month_end.cost_gbp, 0)::numeric(16, 2) as cost_gbp,
    figures_by_month_end.carers_advised_to_date_count::bigint as carers_advised_to_date_count,
    figures_by_month_end.carers_supported_to_date_count::bigint as carers_supported_to_date_count,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months_held.council_code', ['fct_carer_support'], 'months_held.month_end_date'
    ) }} as data_status_code
from months_held
left join support_by_month_end
    on
        months_held.council_code = support_by_month_end.council_code
        and months_held.month_end_date = support_by_month_end.month_end_date
left join figures_by_month_end
    on
        months_held.council_code = figures_by_month_end.council_code
        and months_held.month_end_date = figures_by_month_end.period_end_date
