select
    publication_id,
    as_at_date,
    code_version,
    built_at
from store.previous_publication({{ as_at() }}, {{ publication_id() }})
