select
    batch_id,
    council_code,
    source_name,
    table_name,
    extract_date,
    known_on
from {{ source('audit', 'batch') }}
where
    state = 'accepted'
    and known_on <= {{ as_at() }}
    -- What was withdrawn by then no longer counts; what was withdrawn later still did.
    and (withdrawn_on is null or withdrawn_on > {{ as_at() }})
