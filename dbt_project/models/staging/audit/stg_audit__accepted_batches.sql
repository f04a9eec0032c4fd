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
