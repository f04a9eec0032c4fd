{# The in-year effect, £, of a weekly saving (R13): the days from its first day to the last of the financial year, both
   counted, at a seventh each; nothing where it begins after that day. Not capped at 52 weeks: a change on 1 April saves
   365 days, a day more, and its carry-over is then negative. #}
{% macro in_year_effect(weekly_gbp, effective_date, year_end_date) -%}
    ({{ weekly_gbp }} * greatest({{ year_end_date }} - {{ effective_date }} + 1, 0) / 7.0)
{%- endmacro %}

{# The last day of the financial year of a date. #}
{% macro financial_year_end(a_date) -%}
    ({{ financial_year_start(a_date) }} + interval '1 year' - interval '1 day')::date
{%- endmacro %}
