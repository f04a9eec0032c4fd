select
    {{ publication_id() }} as publication_id,
    council_code,
    element_ref || '-' || split_number as service_row_id,
    episode_id,
    person_id,
    element_ref,
    split_number,
    start_date,
    end_date,
    end_reason_code
from {{ ref('int_reablement__service_rows') }}
