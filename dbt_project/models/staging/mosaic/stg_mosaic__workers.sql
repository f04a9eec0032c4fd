select
    council_code,
    worker_ref,
    start_date,
    end_date,
    team_ref,
    role_code
from {{ known_at(source('mosaic', 'workers')) }}
