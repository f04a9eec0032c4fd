select
    {{ publication_id() }} as publication_id,
    council_code,
    unit_ref as housing_unit_id,
    scheme_ref,
    scheme_name,
    partner_name,
    bedroom_count,
    opened_date,
    closed_date
from {{ ref('stg_registers__housing_units') }}
