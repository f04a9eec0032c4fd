select
    council_code,
    enquiry_ref,
    person_ref,
    concern_date,
    start_date,
    end_date,
    was_asked,
    outcome_code
from {{ known_at(source('mosaic', 'safeguarding_enquiries')) }}
