select
    council_code,
    concat_ws('|', report_date, project_ref, activity_measure, period) as activity_figure_id,
    report_date,
    project_ref,
    activity_measure,
    period,
    -- R33. A period that ends in a day is as of that day, one that ends in a month as of its last, never later than
    -- the paper.
    case
        when period ~ '\d{4}-\d{2}-\d{2}$' then least(right(period, 10)::date, report_date)
        when period ~ '\d{4}-\d{2}$'
            then least({{ month_end("(right(period, 7) || '-01')::date") }}, report_date)
        else report_date
    end as as_of_date,
    actual_value,
    actual_text,
    target_value,
    target_text,
    target_to_date_value,
    forecast_low_value,
    forecast_high_value,
    forecast_text,
    unit,
    grain
from {{ ref('stg_programme__activity_targets') }}
