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
