select
    {{ publication_id() }} as publication_id,
    council_code,
    household_id,
    main_type_code,
    gives_short_breaks,
    place_count,
    approved_date,
    left_date,
    has_resigned,
    resignation_reason_code,
    carer_count
from {{ ref('int_shared_lives__households') }}
