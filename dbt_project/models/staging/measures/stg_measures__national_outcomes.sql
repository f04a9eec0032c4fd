select
    council_code,
    financial_year,
    measure_code,
    area_code,
    area_name,
    ons_code,
    level_name,
    numerator_value,
    denominator_value,
    outcome_value
from {{ known_at(source('measures', 'national_outcomes')) }}
