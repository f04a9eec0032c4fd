-- What housing-with-care units contribute to K023 and K024.

with units_at_month_ends as (
    select
        council_code,
        month_end_date,
        housing_unit_id,
        housing_void_id,
        scheme_name,
        is_in_use,
        was_in_use_on_base_date,
        is_void
    from {{ ref('int_housing__month_ends') }}
),

all_contributions as (
    select
        council_code,
        'K023' as measure_id,
        month_end_date,
        'fct_housing_units' as fact_name,
        housing_unit_id as fact_key,
        scheme_name,
        is_in_use::integer - was_in_use_on_base_date::integer as numerator,
        null::numeric as denominator
    from units_at_month_ends

    union all

    select
        council_code,
        'K024' as measure_id,
        month_end_date,
        case when is_void then 'fct_housing_voids' else 'fct_housing_units' end as fact_name,
        case when is_void then housing_void_id else housing_unit_id end as fact_key,
        scheme_name,
        is_void::integer as numerator,
        1 as denominator
    from units_at_month_ends
    where is_in_use
)

select
    council_code,
    measure_id,
    month_end_date as counted_on_date,
    fact_name,
    fact_key,
    null::text as person_id,
    null::text as team_ref,
    null::text as age_band,
    null::text as support_reason_code,
    scheme_name as other_breakdown_value,
    numerator::numeric as numerator,
    denominator::numeric as denominator
from all_contributions
