select
    build_id,
    as_at_date,
    code_version
from {{ source('audit', 'build') }}
where build_id = {{ publication_id() }}
