with steps as (
    {% for step in lineage_steps() -%}
        select
            '{{ step[0] }}'::text as fact_name,
            '{{ step[1] }}'::text as fact_key_column,
            {{ step[2] }} as source_number,
            '{{ step[3] }}'::text as source_table,
            {{ "'" ~ step[4] ~ "'" if step[4] else 'null' }}::text as through_fact_name,
            '{{ step[6] }}'::text as leads_to_code,
            {{ step[5] }} as pair_number,
            '{{ step[7] }}'::text as source_column,
            '{{ step[8] }}'::text as fact_column
        union all
    {% endfor -%}
    select
        null::text as fact_name,
        null::text as fact_key_column,
        null::integer as source_number,
        null::text as source_table,
        null::text as through_fact_name,
        null::text as leads_to_code,
        null::integer as pair_number,
        null::text as source_column,
        null::text as fact_column
    where false
)

select
    {{ publication_id() }} as publication_id,
    'all' as council_code,
    fact_name,
    fact_key_column,
    source_number,
    source_table,
    through_fact_name,
    leads_to_code,
    pair_number,
    source_column,
    fact_column
from steps
