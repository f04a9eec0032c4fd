{# From the facts' own meta (source_rows), which columns lead from a row of each fact to rows of source tables: a list of
   [fact, fact key, number of the source, source table, fact passed through, number of the pair, what it leads to, column
   there, column here]. A pseudonym leads to a person's numbers. Only at execution does dbt know all models. #}
{% macro lineage_steps() %}
    {%- set steps = [] -%}
    {%- set facts = {} -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- if node.config.meta.get('source_rows') -%}{%- do facts.update({node.alias: node}) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for name, node in facts | dictsort -%}
        {%- set key = node.config.meta.get('fact_key') or (node.columns.keys() | list)[2] -%}
        {%- set numbers = namespace(source=0) -%}
        {%- for entry in node.config.meta.source_rows -%}
            {%- set through = entry.get('through') -%}
            {%- if through and through not in facts -%}
                {{ exceptions.raise_compiler_error(name ~ ": source_rows goes through " ~ through ~ ", which has no source_rows") }}
            {%- endif -%}
            {%- for leads in (facts[through].config.meta.source_rows if through else [entry]) if leads.get('table') -%}
                {%- set numbers.source = numbers.source + 1 -%}
                {%- set here = [name, key, numbers.source, leads.table, through] -%}
                {%- for there_column, here_column in (entry.key.items() if through else []) -%}
                    {%- do steps.append(here + [loop.index, 'fact', there_column, here_column]) -%}
                {%- endfor -%}
                {%- for there_column, here_column in leads.key.items() -%}
                    {%- do steps.append(here + [loop.index, 'person' if here_column.endswith('person_id') else 'source', there_column, here_column]) -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(steps) }}
{% endmacro %}

{# The source tables that a model is made from, however far beneath it, as [source, table]. #}
{% macro tables_beneath(model_id) %}
    {%- set found = [] -%}
    {%- set reached = [model_id] -%}
    {#- A list that grows while it is gone through: every model beneath is come to once. -#}
    {%- for here in reached -%}
        {%- if here in graph.sources -%}
            {%- do found.append([graph.sources[here].source_name, graph.sources[here].name]) -%}
        {%- elif here in graph.nodes -%}
            {%- for below in graph.nodes[here].depends_on.nodes -%}
                {%- if below not in reached -%}{%- do reached.append(below) -%}{%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | sort) }}
{% endmacro %}

{# Which source tables each fact is made from, as [fact, source, table]. A mart of figures shows what many facts are made of:
   only what its own rows stand in, as its meta says, is what it is made from. #}
{% macro tables_of_facts() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'candidate' -%}
            {%- if node.alias.startswith(('fct_', 'dim_')) -%}
                {%- for beneath in tables_beneath(node.unique_id) -%}
                    {%- do found.append([node.alias] + beneath) -%}
                {%- endfor -%}
            {%- else -%}
                {%- for entry in node.config.meta.get('source_rows', []) if entry.get('table') -%}
                    {%- do found.append([node.alias] + entry.table.split('.')) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort) }}
{% endmacro %}
