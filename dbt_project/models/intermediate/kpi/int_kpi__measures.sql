select
    measure_id,
    measure_name,
    area_code,
    how_obtained_code,
    obtained_from,
    formula_code,
    unit_code,
    polarity_code,
    period_types,
    breakdown_types,
    other_breakdown_code,
    target_basis_code,
    tolerance,
    is_charted,
    denominator_label is not null as has_denominator,
    source_name,
    case
        when formula_code not like '%_base_year%' then null
        when area_code = 'front_door' then '{{ var("assessment_base_year") }}'
        else '{{ var("reablement_base_year") }}'
    end as base_financial_year
from {{ ref('kpi_registry') }}
where
    valid_from <= {{ as_at() }}
    and (valid_to is null or valid_to > {{ as_at() }})
