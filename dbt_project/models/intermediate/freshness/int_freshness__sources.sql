-- The newest extract of any table of a source decides: a file with the same bytes as the last one brings no batch, so
-- a table that rarely changes would look stale although it arrives every night.

with accepted_batches as (
    select
        council_code,
        source_name,
        extract_date
    from {{ ref('stg_audit__accepted_batches') }}
),

promises as (
    select
        source_name,
        max(stale_after_days) as stale_after_days
    from {{ ref('contract_tables') }}
    group by source_name
),

newest_extracts as (
    select
        council_code,
        source_name,
        max(extract_date) as newest_extract_date
    from accepted_batches
    group by
        council_code,
        source_name
)

select
    newest_extracts.council_code,
    newest_extracts.source_name,
    newest_extracts.newest_extract_date,
    newest_extracts.newest_extract_date + promises.stale_after_days as held_through_date,
    {{ as_at() }} - newest_extracts.newest_extract_date > promises.stale_after_days as is_stale
from newest_extracts
inner join promises on newest_extracts.source_name = promises.source_name
