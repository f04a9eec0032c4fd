select
    {{ publication_id() }} as publication_id,
    council_code,
    accommodation_id,
    person_id,
    accommodation_code,
    is_own_home_or_family,
    start_date,
    end_date,
    recorded_start_date
from {{ ref('int_placements__accommodations') }}
