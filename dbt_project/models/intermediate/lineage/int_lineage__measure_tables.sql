-- A measure reads a table when one of the facts it is calculated from is made of it, at however many removes.

with fact_tables as (
    {% for beneath in tables_of_marts() -%}
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
),

measure_facts as (
    select
        registry.measure_id,
        named.fact_name
    from {{ ref('kpi_registry') }} as registry
    cross join regexp_split_to_table(registry.obtained_from, '[;, ]+') as named (fact_name)
    where
        registry.how_obtained_code <> 'waiting'
        and registry.valid_from <= {{ as_at() }}
        and (registry.valid_to is null or registry.valid_to > {{ as_at() }})
)

select
    measure_facts.measure_id,
    fact_tables.source_name,
    fact_tables.table_name
from measure_facts
inner join fact_tables on measure_facts.fact_name = fact_tables.fact_name

union distinct

-- A reported measure names its table itself.
select
    measure_id,
    split_part(fact_name, '.', 1) as source_name,
    split_part(fact_name, '.', 2) as table_name
from measure_facts
where fact_name like '%.%'
