select
    {{ publication_id() }} as publication_id,
    council_code,
    person_id,
    start_date,
    end_date,
    end_reason_code,
    is_completed,
    case when is_completed then {{ financial_year('end_date') }} end as completed_financial_year,
    case when is_completed then {{ financial_period('end_date') }} end as completed_period_number,
    service_row_count
from {{ ref('int_reablement__episodes') }}
