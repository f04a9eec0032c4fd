-- The whole year's target of the measures that mean one project: the version approved on or before the month end (R24).
-- K003 is about the year after, and K021 about all years together.

with measure_projects as (
    select
        measure_id,
        council_code,
        project_ref
    from {{ ref('measure_projects') }}
    where measure_id in ('K002', 'K003', 'K021', 'K033', 'K038', 'K039', 'K041', 'K042', 'K043', 'K044')
),

month_ends as (
    select
        month_end_date,
        financial_year,
        {{ financial_year("month_end_date + interval '1 year'") }} as next_financial_year
    from {{ ref('int_calendar__month_ends') }}
),

targets as (
    select
        council_code,
        project_ref,
        financial_year,
        target_gbp,
        valid_from,
        valid_to
    from {{ ref('int_programme__targets_in_force') }}
)

select
    measure_projects.council_code,
    measure_projects.measure_id,
    month_ends.month_end_date,
    sum(targets.target_gbp)::numeric(18, 2) as annual_target
from measure_projects
cross join month_ends
inner join targets
    on
        measure_projects.council_code = targets.council_code
        and measure_projects.project_ref = targets.project_ref
where
    month_ends.month_end_date >= targets.valid_from
    and (targets.valid_to is null or month_ends.month_end_date < targets.valid_to)
    and case measure_projects.measure_id
        when 'K021' then true
        when 'K003' then targets.financial_year = month_ends.next_financial_year
        else targets.financial_year = month_ends.financial_year
    end
group by
    measure_projects.council_code,
    measure_projects.measure_id,
    month_ends.month_end_date
