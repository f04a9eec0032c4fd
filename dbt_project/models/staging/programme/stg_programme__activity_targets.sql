select
    council_code,
    report_date,
    project_ref,
    activity_measure,
    period,
    target_text,
    target_value,
    target_to_date_value,
    actual_text,
    actual_value,
    forecast_text,
    forecast_low_value,
    forecast_high_value,
    unit,
    grain,
    source_systems
from {{ known_at(source('programme', 'activity_targets')) }}
