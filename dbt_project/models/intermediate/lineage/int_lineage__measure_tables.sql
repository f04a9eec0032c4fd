-- A measure reads a table when one of the facts it is calculated from is made of it, at however many removes.

with fact_tables as (
    select
        fact_name,
        source_name,
        table_name
    from {{ ref('int_lineage__fact_tables') }}
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
