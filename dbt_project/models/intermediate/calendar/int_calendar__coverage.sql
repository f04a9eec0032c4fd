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

{% for subject in subjects -%}
    select
        council_code,
        dataset_code,
        held_from_date
    from {{ subject }}
    {{ "union all" if not loop.last }}
{% endfor -%}
