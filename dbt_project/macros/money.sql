{# Pounds as whole thousands, halves away from zero, as the printed reports show them. Only reports round. #}
{% macro gbp_k(amount_gbp) -%}
    round({{ amount_gbp }} / 1000)::numeric(14, 0)
{%- endmacro %}
