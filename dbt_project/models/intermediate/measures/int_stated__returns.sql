select
    council_code,
    measure_id,
    period_type,
    period_end_date,
    other_breakdown_value,
    latest_value as stated_value,
    latest_text as stated_text,
    target_value,
    target_text,
    previous_value,
    previous_text,
    national_value,
    national_text,
    good_is_text,
    report_date,
    report_name,
    'kpi_measure_summary' as fact_name,
    return_id as fact_key
from {{ ref('int_measures__returns') }}
where measure_id is not null
