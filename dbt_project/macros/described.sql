{# A mart's name among readers: its first version keeps the plain name, a later one stands beside it as <mart>_v2. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%}
        {{ custom_alias_name | trim }}
    {%- elif node.version and node.version | int > 1 -%}
        {{ node.name ~ '_v' ~ node.version }}
    {%- else -%}
        {{ node.name }}
    {%- endif -%}
{%- endmacro %}

{# What readers are told of a mart: its description, what one row is, and of a version that goes until when and what
   replaces it. mart.data_dictionary reads these lines. #}
{% macro described(model) %}
    {%- set lines = [model.description.split() | join(' ')] -%}
    {%- if model.config.meta.get('one_row_is') -%}
        {%- do lines.extend(['', 'One row is ' ~ model.config.meta.one_row_is ~ '.']) -%}
    {%- endif -%}
    {%- if model.get('deprecation_date') -%}
        {%- set newer = namespace(name=none) -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.name -%}
            {%- if node.version == model.latest_version and node.version != model.version -%}
                {%- set newer.name = node.alias -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set until = (model.deprecation_date | string)[:10] -%}
        {%- do lines.append(
            'Deprecated: ' ~ ('read mart.' ~ newer.name ~ ' instead; it goes' if newer.name else 'it goes')
            ~ ' after ' ~ until ~ '.'
        ) -%}
    {%- endif -%}
    {{ return(lines | join('\n')) }}
{% endmacro %}

{# Publication copies the comments to the views that readers see. A mart's contract says that its columns are there, so that
   dbt need not look them up before it comments on them. #}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        {%- call statement('comments') -%}
            {{ alter_relation_comment(relation, described(model)) }}
            {%- for column in model.columns.values() %}
                comment on column {{ relation }}.{{ column.name }} is {{ postgres_escape_comment(column.description) }};
            {%- endfor -%}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
