{# The financial year (April to March) of a date, written 2018/19. Rule R31. #}
{% macro financial_year(a_date) -%}
    (to_char({{ a_date }} - interval '3 months', 'YYYY') || '/' || to_char({{ a_date }} + interval '9 months', 'YY'))
{%- endmacro %}

{# The period of a date in its financial year: 1 is April, 12 is March. Rule R31. #}
{% macro financial_period(a_date) -%}
    extract(month from {{ a_date }} - interval '3 months')::integer
{%- endmacro %}

{# The 1 April on which the financial year of a date began. #}
{% macro financial_year_start(a_date) -%}
    (date_trunc('year', {{ a_date }} - interval '3 months') + interval '3 months')::date
{%- endmacro %}

{# The last day of the month of a date. #}
{% macro month_end(a_date) -%}
    (date_trunc('month', ({{ a_date }})::timestamp) + interval '1 month' - interval '1 day')::date
{%- endmacro %}

{# First day of the period of a kind (registry: period_types) that ends with the last day of a month. #}
{% macro period_start(period_type, month_end_date) -%}
    case
        when {{ period_type }} in ('year_to_date', 'financial_year')
            then {{ financial_year_start(month_end_date ~ '::timestamp') }}
        when {{ period_type }} = 'rolling_12_months' then ({{ month_end_date }} + 1 - interval '12 months')::date
        when {{ period_type }} = 'quarter' then ({{ month_end_date }} + 1 - interval '3 months')::date
        else date_trunc('month', {{ month_end_date }}::timestamp)::date
    end
{%- endmacro %}
