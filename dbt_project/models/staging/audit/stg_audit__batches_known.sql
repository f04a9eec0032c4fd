select
    batch_id,
    council_code,
    source_name,
    table_name,
    file_name,
    extract_date,
    known_on,
    -- A withdrawal after the as-at date is not known yet.
    case when withdrawn_on <= {{ as_at() }} then withdrawn_on end as withdrawn_on,
    rows_new,
    rows_changed,
    rows_closed,
    finished_at
from {{ source('audit', 'batch') }}
where
    state = 'accepted'
    and known_on <= {{ as_at() }}
