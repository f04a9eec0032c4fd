{# The publication that a candidate table belongs to: the same on each of its rows. Given and asked for as as_at() is. #}
{% macro publication_id() -%}
    {%- set given = env_var('CAREHOUSE_PUBLICATION_ID', '') if execute else '0' -%}
    {%- set number = var('publication_id', given) | string -%}
    {%- if not number -%}
        {{ exceptions.raise_compiler_error("publication_id is not set: give CAREHOUSE_PUBLICATION_ID and CAREHOUSE_AS_AT") }}
    {%- endif -%}
    {{ number }}::bigint
{%- endmacro %}

{# Declares a finished candidate table to the database: its key and what is never empty; the constant that lets the store
   attach it without reading it; and whose rows it holds, of councils or for all (meta: for_all_councils), which publication
   asks for. Once the rows are in, since all of it is checked in one reading, and an index built in one go takes less
   than half the time. #}
{% macro seal_for_publication() -%}
    alter table {{ this }}
    add constraint publication_is_constant check (publication_id = {{ publication_id() }})
    , add constraint whose_rows
    check (council_code {{ '=' if model.config.meta.get('for_all_councils') else '<>' }} 'all')
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type != 'not_null' -%}
                {{ exceptions.raise_compiler_error("a column of a mart can be not_null; other constraints belong to the model") }}
            {%- endif -%}
            , alter column {{ column.name }} set not null
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
        , add {{ constraint }}
    {%- endfor -%}
{%- endmacro %}

{# dbt makes a table with a contract first and inserts into it, which PostgreSQL never does in parallel. The contract's types
   hold by the casts, its names by dbt's comparison before, what it says of empty columns once the table is sealed. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set is_promised = config.get('contract').enforced and not temporary -%}
    {%- if is_promised -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    create {{ 'temporary' if temporary else 'unlogged' if config.get('unlogged') }} table {{ relation }} as (
    {%- if is_promised %}
    select
        {%- for column in model.columns.values() %}
        {{ column.name }}::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
    {%- endif %}
    {{ sql }}
    {% if is_promised %}) as built
    {% endif -%}
    );
{%- endmacro %}
