select
    council_code,
    request_ref,
    line_number,
    option_name,
    detail,
    amount_gbp,
    from_financial_year,
    is_conditional,
    amount_as_printed
from {{ known_at(source('programme', 'alternative_savings')) }}
