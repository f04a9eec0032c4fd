{# The publication that a candidate table belongs to: the same on each of its rows. Given and asked for as as_at() is. #}
{% macro publication_id() -%}
    {%- set given = env_var('CAREHOUSE_PUBLICATION_ID', '') if execute else '0' -%}
    {%- set number = var('publication_id', given) | string -%}
    {%- if not number -%}
        {{ exceptions.raise_compiler_error("publication_id is not set: give CAREHOUSE_PUBLICATION_ID and CAREHOUSE_AS_AT") }}
    {%- endif -%}
    {{ number }}::bigint
{%- endmacro %}

{# Declares a finished candidate table to the database: its key; the constant that lets the store attach it without
   reading it; and whose rows it holds, of councils or for all (meta: for_all_councils), which publication asks for. Once
   the rows are in, since an index built in one go takes less than half the time. #}
{% macro seal_for_publication() -%}
    alter table {{ this }}
    add constraint publication_is_constant check (publication_id = {{ publication_id() }})
    , add constraint whose_rows
    check (council_code {{ '=' if model.config.meta.get('for_all_councils') else '<>' }} 'all')
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
        , add {{ constraint }}
    {%- endfor -%}
{%- endmacro %}

{# Columns of a candidate table as its contract declares them; dbt would put the key here, before the rows. #}
{% macro postgres__get_table_columns_and_constraints() -%}
    ({{ adapter.render_raw_columns_constraints(raw_columns=model['columns']) | join(', ') }})
{%- endmacro %}
