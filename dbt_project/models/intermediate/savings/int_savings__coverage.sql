-- Since when the extracts hold what the measures of savings and income need. A claim and a charge happen on a day; an
-- agreement that stands brings its old start along, so only one that ceased shows how far its register reaches. A
-- measure of one project is of no council that has none.

with claims as (
    select
        council_code,
        min(effective_date) as first_date
    from {{ ref('stg_programme__savings_claims') }}
    group by council_code
),

income as (
    select
        council_code,
        min(charged_date) as first_date
    from {{ ref('stg_finance__income') }}
    group by council_code
),

agreements as (
    select
        council_code,
        coalesce(min(ceased_date), min(eligible_from_date)) as first_date
    from {{ ref('stg_registers__brokerage_agreements') }}
    group by council_code
),

forecasts as (
    select
        council_code,
        measure_id,
        min(month_end_date) as first_date
    from {{ ref('int_savings__forecast_figures') }}
    group by
        council_code,
        measure_id
),

projects as (
    select distinct
        council_code,
        measure_id
    from {{ ref('measure_projects') }}
),

datasets as (
    select
        council_code,
        'savings_claims' as dataset_code,
        first_date
    from claims

    union all

    select
        council_code,
        'income' as dataset_code,
        first_date
    from income

    union all

    select
        council_code,
        'brokerage_agreements' as dataset_code,
        first_date
    from agreements

    union all

    select
        council_code,
        'project_of_' || lower(measure_id) as dataset_code,
        first_date
    from forecasts

    union all

    select
        council_code,
        'project_of_' || lower(measure_id) as dataset_code,
        date '1900-01-01' as first_date
    from projects
    where measure_id in ('K002', 'K003', 'K021', 'K038', 'K039', 'K041', 'K044')
)

select
    council_code,
    dataset_code,
    date_trunc('month', first_date::timestamp)::date as held_from_date
from datasets
