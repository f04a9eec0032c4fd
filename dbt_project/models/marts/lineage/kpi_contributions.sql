-- Published with the figures, so that a figure of any publication kept can be taken apart into the rows it was made of.

with contributions as (
    select
        council_code,
        measure_id,
        counted_on_date,
        fact_name,
        fact_key,
        team_ref,
        age_band,
        support_reason_code,
        other_breakdown_value,
        numerator,
        denominator
    from {{ ref('int_kpi__contributions') }}
    where
        numerator is not null
        and counted_on_date <= {{ as_at() }}
),

stated as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        other_breakdown_value,
        stated_value,
        fact_name,
        fact_key
    from {{ ref('int_kpi__stated') }}
),

measures as (
    select
        measure_id,
        period_types,
        make_date(left(base_financial_year, 4)::integer, 4, 1) as base_start_date
    from {{ ref('int_kpi__measures') }}
),

-- Nothing of months that no figure shows. Asked of the calendar, not of the figures: this and those are the longest
-- models of the night, and neither waits for the other.
periods as (
    select
        periods_held.council_code,
        measures.measure_id,
        least(periods_held.period_start_date, measures.base_start_date) as first_date
    from {{ ref('int_calendar__measure_periods') }} as periods_held
    inner join measures on periods_held.measure_id = measures.measure_id
    where measures.base_start_date is null or periods_held.year_start_date > measures.base_start_date

    union all

    select
        councils.council_code,
        measures.measure_id,
        {{ period_start('period_types.period_type', 'month_ends.month_end_date') }} as first_date
    from (
        select distinct council_code
        from {{ ref('stg_audit__accepted_batches') }}
    ) as councils
    cross join measures
    cross join unnest(string_to_array(measures.period_types, ' ')) as period_types (period_type)
    cross join {{ ref('int_calendar__month_ends') }} as month_ends
    where
        measures.base_start_date is null
        and measures.measure_id not in (select needs.measure_id from {{ ref('kpi_needs') }} as needs)
),

months_shown as (
    select
        council_code,
        measure_id,
        min(first_date) as first_date
    from periods
    group by
        council_code,
        measure_id
)

select
    {{ publication_id() }} as publication_id,
    contributions.council_code,
    contributions.measure_id,
    'counted' as basis_code,
    contributions.counted_on_date,
    null::text as period_type,
    contributions.fact_name,
    contributions.fact_key,
    coalesce(contributions.team_ref, 'unknown') as team_ref,
    coalesce(contributions.age_band, 'unknown') as age_band,
    coalesce(contributions.support_reason_code, 'unknown') as support_reason_code,
    coalesce(contributions.other_breakdown_value, 'unknown') as other_breakdown_value,
    contributions.numerator::numeric(28, 12) as numerator,
    contributions.denominator::numeric(28, 12) as denominator
from contributions
inner join months_shown
    on
        contributions.council_code = months_shown.council_code
        and contributions.measure_id = months_shown.measure_id
        and contributions.counted_on_date >= months_shown.first_date

union all

select
    {{ publication_id() }} as publication_id,
    council_code,
    measure_id,
    'stated' as basis_code,
    period_end_date as counted_on_date,
    period_type,
    fact_name,
    fact_key,
    'unknown' as team_ref,
    'unknown' as age_band,
    'unknown' as support_reason_code,
    coalesce(other_breakdown_value, 'unknown') as other_breakdown_value,
    stated_value::numeric(28, 12) as numerator,
    null::numeric(28, 12) as denominator
from stated
