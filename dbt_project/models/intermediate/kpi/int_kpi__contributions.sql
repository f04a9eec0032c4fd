{{ config(materialized='view') }}

-- The models of the subjects, one line each. A view: a copy of the longest table of the night would buy nothing.
{% set subjects = [
    ref('int_contributions__reviews'),
    ref('int_contributions__packages'),
    ref('int_contributions__reablement'),
    ref('int_contributions__front_door'),
    ref('int_contributions__carers'),
    ref('int_contributions__placements'),
    ref('int_contributions__housing'),
    ref('int_contributions__shared_lives'),
    ref('int_contributions__direct_payments'),
    ref('int_contributions__programme'),
    ref('int_contributions__savings'),
    ref('int_contributions__income'),
] %}

{% for subject in subjects -%}
    select {{ contribution_columns() }}
    from {{ subject }}
    union all
{% endfor -%}
select {{ contribution_columns() }}
from (
    select
        null as council_code,
        null as measure_id,
        null as counted_on_date,
        null as fact_name,
        null as fact_key,
        null as person_id,
        null as team_ref,
        null as age_band,
        null as support_reason_code,
        null as other_breakdown_value,
        null as numerator,
        null as denominator
) as no_contribution
where false
