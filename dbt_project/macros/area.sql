{# The area of a postcode: its outward code, some thousands of households. What is not written like one has no area. #}
{% macro outward_code(postcode) -%}
    substring(upper({{ postcode }}) from '^ *([A-Z]{1,2}[0-9][0-9A-Z]?) *[0-9][A-Z]{2} *$')
{%- endmacro %}
