select
    council_code,
    calculation_ref,
    element_ref,
    split_number,
    calculated_date,
    provider_weekly_gbp,
    calculated_weekly_gbp,
    agreed_weekly_gbp
from {{ known_at(source('registers', 'care_funding_calculations')) }}
