-- The table that is overdue first decides: a fact made of a fresh table and a stale one is wrong from there on. A table
-- that the council does not deliver at all decides nothing.

with newest_extracts as (
    select
        council_code,
        source_name,
        table_name,
        max(extract_date) as newest_extract_date
    from {{ ref('stg_audit__accepted_batches') }}
    group by
        council_code,
        source_name,
        table_name
),

promises as (
    select
        source_name,
        table_name,
        stale_after_days
    from {{ ref('contract_tables') }}
),

fact_tables as (
    select
        fact_name,
        source_name,
        table_name
    from {{ ref('int_lineage__fact_tables') }}
)

select
    newest_extracts.council_code,
    fact_tables.fact_name,
    newest_extracts.source_name,
    min(newest_extracts.newest_extract_date) as newest_extract_date,
    min(newest_extracts.newest_extract_date + promises.stale_after_days) as held_through_date,
    bool_or({{ as_at() }} - newest_extracts.newest_extract_date > promises.stale_after_days) as is_stale,
    max(newest_extracts.newest_extract_date) as last_extract_date,
    max(newest_extracts.newest_extract_date + promises.stale_after_days) as last_held_through_date,
    bool_and({{ as_at() }} - newest_extracts.newest_extract_date > promises.stale_after_days) as is_silent
from newest_extracts
inner join promises
    on
        newest_extracts.source_name = promises.source_name
        and newest_extracts.table_name = promises.table_name
inner join fact_tables
    on
        newest_extracts.source_name = fact_tables.source_name
        and newest_extracts.table_name = fact_tables.table_name
group by
    newest_extracts.council_code,
    fact_tables.fact_name,
    newest_extracts.source_name
