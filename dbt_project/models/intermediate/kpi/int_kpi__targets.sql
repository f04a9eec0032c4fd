-- Models of other subjects whose targets are versioned, one line each: council_code, measure_id, month_end_date,
-- annual_target. Where they say something it is in force instead of the seed.
{% set subjects = [
    ref('int_savings__measure_targets'),
] %}

with month_ends as (
    select
        month_end_date,
        financial_year
    from {{ ref('int_calendar__month_ends') }}
),

targets_set as (
    select
        council_code,
        measure_id,
        financial_year,
        annual_target
    from {{ ref('kpi_targets') }}
),

targets as (
    select
        targets_set.council_code,
        targets_set.measure_id,
        month_ends.month_end_date,
        targets_set.annual_target,
        2 as precedence
    from targets_set
    inner join month_ends on targets_set.financial_year = month_ends.financial_year
    {% for subject in subjects %}
        union all

        select
            council_code,
            measure_id,
            month_end_date,
            annual_target,
            1 as precedence
        from {{ subject }}
        where annual_target is not null
    {% endfor %}
)

select distinct on (council_code, measure_id, month_end_date)
    council_code,
    measure_id,
    month_end_date,
    annual_target::numeric(18, 2) as annual_target
from targets
order by
    council_code asc,
    measure_id asc,
    month_end_date asc,
    precedence asc
