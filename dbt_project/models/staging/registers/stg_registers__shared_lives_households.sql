select
    council_code,
    household_ref,
    main_type_code,
    gives_short_breaks,
    place_count,
    approved_date,
    ended_date
from {{ known_at(source('registers', 'shared_lives_households')) }}
