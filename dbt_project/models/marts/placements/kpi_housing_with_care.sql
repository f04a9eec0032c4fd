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
            and month_ends.month_end_date <= {{ held_through('coverage.council_code', ['fct_housing_voids']) }}
    where coverage.dataset_code = 'housing_units'
),

units as (
    select
        council_code,
        month_end_date,
        scheme_name,
        is_in_use,
        was_in_use_on_base_date,
        is_void,
        weekly_charge_gbp
    from {{ ref('int_housing__month_ends') }}
)

select
    {{ publication_id() }} as publication_id,
    months.council_code,
    months.month_end_date as period_end_date,
    units.scheme_name,
    months.financial_year,
    months.period_number,
    count(*) filter (where units.is_in_use)::integer as unit_count,
    (count(*) filter (where units.is_in_use) - count(*) filter (where units.was_in_use_on_base_date))::integer
        as additional_unit_count,
    count(*) filter (where units.is_void)::integer as void_count,
    coalesce(sum(units.weekly_charge_gbp) filter (where units.is_void), 0)::numeric(16, 2) as void_weekly_charge_gbp,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months.council_code', ['fct_housing_units', 'fct_housing_voids'], 'months.month_end_date'
    ) }} as data_status_code
from months
inner join units
    on
        months.council_code = units.council_code
        and months.month_end_date = units.month_end_date
group by
    months.council_code,
    months.month_end_date,
    units.scheme_name,
    months.financial_year,
    months.period_number
