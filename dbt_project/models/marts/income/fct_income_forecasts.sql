select
    {{ publication_id() }} as publication_id,
    council_code,
    income_forecast_id,
    income_kind_code,
    month_end_date,
    {{ financial_year('month_end_date') }} as financial_year,
    element_ref,
    agreement_ref,
    person_id,
    charged_gbp,
    received_gbp,
    expected_gbp,
    forecast_gbp
from {{ ref('int_income__forecasts') }}
