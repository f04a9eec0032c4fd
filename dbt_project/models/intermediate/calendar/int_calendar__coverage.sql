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
    {% for subject in subjects -%}
        select
            council_code,
            dataset_code,
            fact_name,
            source_name,
            held_from_date
        from {{ subject }}
        {{ "union all" if not loop.last }}
    {% endfor -%}
)

-- Tables that are not overdue stand for the present; those that are, for the days before they were.
select
    datasets.council_code,
    datasets.dataset_code,
    datasets.held_from_date,
    coalesce(freshness.held_through_date, 'infinity') as held_through_date
from datasets
left join {{ ref('int_freshness__facts') }} as freshness
    on
        datasets.council_code = freshness.council_code
        and datasets.fact_name = freshness.fact_name
        and datasets.source_name = freshness.source_name
