{% for beneath in tables_of_facts() -%}
    select
        '{{ beneath[0] }}'::text as fact_name,
        '{{ beneath[1] }}'::text as source_name,
        '{{ beneath[2] }}'::text as table_name
    union all
{% endfor -%}
select
    null::text as fact_name,
    null::text as source_name,
    null::text as table_name
where false
