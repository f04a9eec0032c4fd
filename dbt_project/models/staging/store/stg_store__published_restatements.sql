select
    restatement ->> 'council_code' as council_code,
    restatement ->> 'measure_id' as measure_id,
    restatement ->> 'period_type' as period_type,
    (restatement ->> 'period_end_date')::date as period_end_date,
    restatement ->> 'breakdown_type' as breakdown_type,
    restatement ->> 'breakdown_value' as breakdown_value,
    restatement ->> 'change_code' as change_code,
    (restatement ->> 'previous_publication_id')::bigint as previous_publication_id,
    (restatement ->> 'previous_as_at_date')::date as previous_as_at_date,
    (restatement ->> 'previous_numerator')::numeric(18, 2) as previous_numerator,
    (restatement ->> 'previous_denominator')::numeric(18, 2) as previous_denominator,
    (restatement ->> 'previous_value')::numeric(18, 2) as previous_value,
    restatement ->> 'previous_value_text' as previous_value_text,
    (restatement ->> 'restated_numerator')::numeric(18, 2) as restated_numerator,
    (restatement ->> 'restated_denominator')::numeric(18, 2) as restated_denominator,
    (restatement ->> 'restated_value')::numeric(18, 2) as restated_value,
    restatement ->> 'restated_value_text' as restated_value_text,
    (restatement ->> 'is_code_changed')::boolean as is_code_changed,
    (restatement ->> 'restated_publication_id')::bigint as restated_publication_id,
    (restatement ->> 'restated_as_at_date')::date as restated_as_at_date,
    (restatement ->> 'first_restated_as_at_date')::date as first_restated_as_at_date,
    (restatement ->> 'restatement_count')::integer as restatement_count
from
    store.published_rows(
        'kpi_restatements', (select publication_id from {{ ref('stg_store__previous_publication') }})
    ) as restatement
