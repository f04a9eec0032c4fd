{# The cost, £, of the days from the first to the last, both counted, at a weekly rate: a seventh a day, so 7 days at
   700 are 700 and 1 to 3 December are 300. Not rounded: add up first and round once, where a figure is shown, so that a
   span cut in two costs what it did whole. Rates in whole pence never come to exactly half a penny: nothing drifts. #}
{% macro cost_of_days(weekly_gbp, first_date, last_date) -%}
    ({{ weekly_gbp }} * ({{ last_date }} - {{ first_date }} + 1) / 7.0)
{%- endmacro %}

{# The cost of a year at a weekly rate: 52 weeks unless configured otherwise. #}
{% macro cost_of_a_year(weekly_gbp) -%}
    ({{ weekly_gbp }} * {{ var('weeks_in_a_year') }})
{%- endmacro %}
