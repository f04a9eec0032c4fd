{{ config(materialized='view') }}

-- The models of the subjects that say since when their datasets are held, one line each.
{% set subjects = [
    ref('int_support__coverage'),
    ref('int_reviews__coverage'),
    ref('int_reablement__coverage'),
    ref('int_hospital__coverage'),
    ref('int_front_door__coverage'),
    ref('int_carers__coverage'),
    ref('int_safeguarding__coverage'),
    ref('int_placements__coverage'),
    ref('int_housing__coverage'),
    ref('int_shared_lives__coverage'),
    ref('int_direct_payments__coverage'),
    ref('int_programme__coverage'),
    ref('int_savings__coverage'),
] %}

with datasets as (
    select
        dataset_code,
        fact_name,
        source_name,
        table_name,
        is_held_once_delivered
    from {{ ref('datasets') }}
),

delivered_tables as (
    select distinct
        council_code,
        source_name,
        table_name
    from {{ ref('stg_audit__accepted_batches') }}
),

proven as (
    {% for subject in subjects -%}
        select
            council_code,
            dataset_code,
            held_from_date
        from {{ subject }}
        {{ "union all" if not loop.last }}
    {% endfor -%}
),

delivered as (
    select
        delivered_tables.council_code,
        datasets.dataset_code,
        datasets.is_held_once_delivered
    from datasets
    inner join delivered_tables
        on
            datasets.source_name = delivered_tables.source_name
            and datasets.table_name = delivered_tables.table_name
),

held as (
    select
        proven.council_code,
        proven.dataset_code,
        proven.held_from_date
    from proven
    inner join datasets on proven.dataset_code = datasets.dataset_code
    left join delivered
        on
            proven.council_code = delivered.council_code
            and proven.dataset_code = delivered.dataset_code
    where
        datasets.table_name is null
        or delivered.council_code is not null

    union all

    select
        council_code,
        dataset_code,
        date '1900-01-01' as held_from_date
    from delivered
    where is_held_once_delivered
)

-- Tables that are not overdue stand for the present; those that are, for the days before they were.
select
    held.council_code,
    held.dataset_code,
    held.held_from_date,
    coalesce(freshness.held_through_date, 'infinity') as held_through_date
from held
inner join datasets on held.dataset_code = datasets.dataset_code
left join {{ ref('int_freshness__facts') }} as freshness
    on
        held.council_code = freshness.council_code
        and datasets.fact_name = freshness.fact_name
        and datasets.source_name = freshness.source_name
