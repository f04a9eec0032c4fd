{{ config(materialized='view') }}

-- The models of the subjects, one line each.
{% set subjects = [
    ref('int_stated__returns'),
    ref('int_stated__shared_lives'),
    ref('int_stated__programme'),
] %}

{% for subject in subjects -%}
    select {{ stated_columns() }}
    from {{ subject }}
    union all
{% endfor -%}
select {{ stated_columns() }}
from (
    select
        null as council_code,
        null as measure_id,
        null as period_type,
        null as period_end_date,
        null as other_breakdown_value,
        null as stated_value,
        null as stated_text,
        null as target_value,
        null as target_text,
        null as previous_value,
        null as previous_text,
        null as national_value,
        null as national_text,
        null as good_is_text,
        null as report_date,
        null as report_name,
        null as fact_name,
        null as fact_key
) as no_figure
where false
