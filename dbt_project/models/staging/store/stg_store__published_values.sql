select
    figure ->> 'council_code' as council_code,
    figure ->> 'measure_id' as measure_id,
    figure ->> 'period_type' as period_type,
    (figure ->> 'period_end_date')::date as period_end_date,
    figure ->> 'breakdown_type' as breakdown_type,
    figure ->> 'breakdown_value' as breakdown_value,
    (figure ->> 'numerator')::numeric(18, 2) as numerator,
    (figure ->> 'denominator')::numeric(18, 2) as denominator,
    (figure ->> 'value')::numeric(18, 2) as value,
    figure ->> 'value_text' as value_text
from
    store.published_rows(
        'kpi_values', (select publication_id from {{ ref('stg_store__previous_publication') }})
    ) as figure
