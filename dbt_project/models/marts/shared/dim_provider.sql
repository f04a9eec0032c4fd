select
    {{ publication_id() }} as publication_id,
    council_code,
    provider_ref,
    provider_name,
    provider_type_code,
    is_in_house,
    start_date,
    end_date
from {{ ref('stg_mosaic__providers') }}
