-- Units in use at month ends or on the base date, and which stand empty. A unit is given back on the day it closes.

with units as (
    select
        council_code,
        unit_ref,
        scheme_name,
        opened_date,
        closed_date
    from {{ ref('stg_registers__housing_units') }}
),

voids as (
    select
        council_code,
        unit_ref,
        start_date,
        end_date,
        weekly_charge_gbp
    from {{ ref('stg_registers__housing_voids') }}
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

units_at_month_ends as (
    select
        units.council_code,
        month_ends.month_end_date,
        units.unit_ref,
        units.scheme_name,
        units.opened_date <= month_ends.month_end_date
        and coalesce(units.closed_date > month_ends.month_end_date, true) as is_in_use,
        units.opened_date <= date '{{ var("housing_with_care_base_date") }}'
        and coalesce(units.closed_date > date '{{ var("housing_with_care_base_date") }}', true)
            as was_in_use_on_base_date
    from units
    cross join month_ends
),

-- Of several voids that cover the day the one that began last counts.
voids_at_month_ends as (
    select distinct on (voids.council_code, month_ends.month_end_date, voids.unit_ref)
        voids.council_code,
        month_ends.month_end_date,
        voids.unit_ref,
        voids.start_date,
        voids.weekly_charge_gbp
    from voids
    inner join month_ends
        on
            voids.start_date <= month_ends.month_end_date
            and (voids.end_date is null or voids.end_date >= month_ends.month_end_date)
    order by
        voids.council_code asc,
        month_ends.month_end_date asc,
        voids.unit_ref asc,
        voids.start_date desc
)

select
    units_at_month_ends.council_code,
    units_at_month_ends.month_end_date,
    units_at_month_ends.unit_ref as housing_unit_id,
    units_at_month_ends.scheme_name,
    units_at_month_ends.is_in_use,
    units_at_month_ends.was_in_use_on_base_date,
    units_at_month_ends.is_in_use and voids_at_month_ends.unit_ref is not null as is_void,
    units_at_month_ends.unit_ref || '-' || to_char(voids_at_month_ends.start_date, 'YYYYMMDD') as housing_void_id,
    voids_at_month_ends.weekly_charge_gbp
from units_at_month_ends
left join voids_at_month_ends
    on
        units_at_month_ends.council_code = voids_at_month_ends.council_code
        and units_at_month_ends.month_end_date = voids_at_month_ends.month_end_date
        and units_at_month_ends.unit_ref = voids_at_month_ends.unit_ref
where
    units_at_month_ends.is_in_use
    or units_at_month_ends.was_in_use_on_base_date
