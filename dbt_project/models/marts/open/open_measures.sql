select
    {{ publication_id() }} as publication_id,
    'all' as council_code,
    registry.measure_id,
    registry.measure_name,
    registry.area_code,
    registry.definition,
    registry.numerator_label,
    registry.denominator_label,
    registry.formula_code,
    registry.unit_code,
    registry.polarity_code,
    registry.cautions,
    coalesce(exceptions.is_about_people, true) as is_about_people
from {{ ref('kpi_registry') }} as registry
left join {{ ref('disclosure_measures') }} as exceptions on registry.measure_id = exceptions.measure_id
where
    registry.valid_from <= {{ as_at() }}
    and (registry.valid_to is null or registry.valid_to > {{ as_at() }})
