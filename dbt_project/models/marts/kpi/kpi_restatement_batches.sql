-- A batch can have moved a figure if it brought or ended something in a table that the measure reads, or was taken
-- back, since the last publication was built.

with previous_publication as (
    select
        as_at_date,
        built_at
    from {{ ref('stg_store__previous_publication') }}
),

moved_measures as (
    select
        council_code,
        measure_id,
        count(*)::integer as figure_count
    from {{ ref('int_kpi__restated') }}
    where is_since_last_publication
    group by
        council_code,
        measure_id
),

measure_tables as (
    select
        measure_id,
        source_name,
        table_name
    from {{ ref('int_lineage__measure_tables') }}
),

-- A day is not an instant: what was delivered or withdrawn on the very day of that publication may have come after it.
batches_since as (
    select
        batches.batch_id,
        batches.council_code,
        batches.source_name,
        batches.table_name,
        batches.file_name,
        batches.extract_date,
        batches.known_on,
        batches.withdrawn_on,
        coalesce(batches.rows_new, 0) as rows_new,
        coalesce(batches.rows_changed, 0) as rows_changed,
        coalesce(batches.rows_closed, 0) as rows_closed,
        batches.known_on > previous_publication.as_at_date
        or batches.finished_at > previous_publication.built_at as is_new
    from {{ ref('stg_audit__batches_known') }} as batches
    cross join previous_publication
    where
        batches.known_on > previous_publication.as_at_date
        or batches.finished_at > previous_publication.built_at
        or batches.withdrawn_on >= previous_publication.as_at_date
)

select
    {{ publication_id() }} as publication_id,
    moved_measures.council_code,
    moved_measures.measure_id,
    batches_since.batch_id,
    moved_measures.figure_count,
    batches_since.source_name,
    batches_since.table_name,
    batches_since.file_name,
    batches_since.extract_date,
    batches_since.known_on as known_on_date,
    case when batches_since.withdrawn_on is not null then 'withdrawn' else 'delivered' end as event_code,
    batches_since.rows_new as new_row_count,
    batches_since.rows_changed as changed_row_count,
    batches_since.rows_closed as closed_row_count,
    {{ as_at() }} as as_at_date,
    'restated' as data_status_code
from moved_measures
inner join measure_tables on moved_measures.measure_id = measure_tables.measure_id
inner join batches_since
    on
        moved_measures.council_code = batches_since.council_code
        and measure_tables.source_name = batches_since.source_name
        and measure_tables.table_name = batches_since.table_name
where
    batches_since.rows_new + batches_since.rows_changed + batches_since.rows_closed > 0
    -- What came and was taken back in between has moved nothing.
    and not (batches_since.is_new and batches_since.withdrawn_on is not null)
