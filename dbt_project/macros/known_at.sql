{# The day whose knowledge this build uses, as a date literal. `carehouse build` gives it in the environment, and it is asked
   for at execution only: what dbt keeps of reading the project then serves every day. #}
{% macro as_at() -%}
    {%- set day = var('as_at', none) or (env_var('CAREHOUSE_AS_AT', '') if execute else none) -%}
    {%- if execute and not day -%}
        {{ exceptions.raise_compiler_error("as_at is not set: give CAREHOUSE_AS_AT and CAREHOUSE_PUBLICATION_ID") }}
    {%- endif -%}
    date '{{ day or '1900-01-01' }}'
{%- endmacro %}

{# The versions of a history table that were known on the as-at date: at most one for each source row. #}
{% macro known_at(history_table) -%}
    (
        select *
        from {{ history_table }}
        where
            known_from <= {{ as_at() }}
            and (known_to is null or known_to > {{ as_at() }})
    ) as known
{%- endmacro %}
