{# Whole years from birth to a date. A birthday on 29 February is reached on 1 March in other years. #}
{% macro age_in_years(birth_date, on_date) -%}
    extract(year from age({{ on_date }}::timestamp, {{ birth_date }}::timestamp))::integer
{%- endmacro %}

{# The age band of a person on a date: the two adult bands that national adult social care measures use. #}
{% macro age_band(birth_date, on_date) -%}
    case
        when {{ birth_date }} is null or {{ birth_date }} > {{ on_date }} then 'unknown'
        when {{ age_in_years(birth_date, on_date) }} < 18 then 'under 18'
        when {{ age_in_years(birth_date, on_date) }} < 65 then '18-64'
        else '65+'
    end
{%- endmacro %}
