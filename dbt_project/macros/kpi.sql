{# The columns that every model of contributions has, in this order and with these types. #}
{% macro contribution_columns() -%}
    council_code::text,
    measure_id::text,
    counted_on_date::date,
    fact_name::text,
    fact_key::text,
    person_id::text,
    team_ref::text,
    age_band::text,
    support_reason_code::text,
    other_breakdown_value::text,
    numerator::numeric,
    denominator::numeric
{%- endmacro %}

{# The columns that every model of stated figures has, in this order and with these types. #}
{% macro stated_columns() -%}
    council_code::text,
    measure_id::text,
    period_type::text,
    period_end_date::date,
    other_breakdown_value::text,
    stated_value::numeric,
    stated_text::text,
    target_value::numeric,
    target_text::text,
    previous_value::numeric,
    previous_text::text,
    national_value::numeric,
    national_text::text,
    good_is_text::text,
    report_date::date,
    report_name::text,
    fact_name::text,
    fact_key::text
{%- endmacro %}

{# A figure as reports print it: a percentage with its sign, money in pounds and pence, a count as it is. #}
{% macro figure_in_words(figure, unit_code) -%}
    case
        when {{ figure }} is null then '-'
        when {{ unit_code }} = 'percent' then to_char({{ figure }}, 'FM999999990.00') || '%'
        when {{ unit_code }} like 'gbp%'
            then case when {{ figure }} < 0 then '-' else '' end || '£' || to_char(abs({{ figure }}), 'FM999,999,999,990.00')
        else trim_scale({{ figure }})::text
    end
{%- endmacro %}
