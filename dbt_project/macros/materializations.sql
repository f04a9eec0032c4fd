{# Tables and views are made under their own names at once. dbt's own materializations make each under another name,
   rename what was there and what is new, and keep a backup until the end, for readers of what is being replaced. Here
   there are none: they read published tables only. See docs/decisions/0018-relations-are-made-in-place.md. #}

{% materialization table, adapter='postgres' %}
    {{ return(made_in_place(this.incorporate(type='table'))) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
    {{ return(made_in_place(this.incorporate(type='view'))) }}
{% endmaterialization %}

{# What was there stays until its successor has its rows. A mart is sealed, and every table has statistics: without them the
   planner joins one this new row by row. #}
{% macro made_in_place(relation) %}
    {%- if config.get('grants') or config.get('indexes') -%}
        {{ exceptions.raise_compiler_error("grants and indexes of a model are not supported: see decision 0018") }}
    {%- endif -%}
    {%- set before = load_cached_relation(relation) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {%- if before %}drop {{ before.type }} if exists {{ before }} cascade;
        {% endif -%}
        {{ get_create_view_as_sql(relation, sql) if relation.is_view else get_create_table_as_sql(False, relation, sql) }}
    {%- endcall -%}
    {%- if relation.is_table -%}
        {%- if config.get('contract').enforced -%}
            {#- Whoever reads rows first after their commit marks them as committed. The seal does so while they are in memory; the
                gate would have to write the whole mart a second time. -#}
            {%- do adapter.commit() -%}
        {%- endif -%}
        {%- call statement('sealed') -%}
            {% if config.get('contract').enforced %}{{ seal_for_publication() }};{% endif %}
            analyze {{ relation }};
        {%- endcall -%}
    {%- endif -%}
    {%- do persist_docs(relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [relation]}) }}
{% endmacro %}
