select
    {{ publication_id() }} as publication_id,
    council_code,
    unit_ref || '-' || to_char(start_date, 'YYYYMMDD') as housing_void_id,
    unit_ref as housing_unit_id,
    start_date,
    end_date,
    reason_code,
    weekly_charge_gbp
from {{ ref('stg_registers__housing_voids') }}
