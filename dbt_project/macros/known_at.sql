{# The day whose knowledge this build uses, as a date literal. #}
{% macro as_at() -%}
    {%- if execute and not var('as_at', none) -%}
        {{ exceptions.raise_compiler_error("as_at is not set: give it in --vars, with publication_id") }}
    {%- endif -%}
    date '{{ var('as_at', '1900-01-01') }}'
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
