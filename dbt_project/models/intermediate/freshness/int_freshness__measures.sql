-- Of the tables beneath a measure those of its own source decide, as the registry names it: a claim counts as claimed,
-- whether or not the care extracts that bear it out are late. What it needs of other sources it names as datasets.

with measures as (
    select
        measure_id,
        source_name,
        obtained_from
    from {{ ref('int_kpi__measures') }}
    where how_obtained_code = 'calculated'
)

select
    freshness.council_code,
    measures.measure_id,
    min(freshness.newest_extract_date) as newest_extract_date,
    min(freshness.held_through_date) as held_through_date,
    bool_or(freshness.is_stale) as is_stale
from measures
inner join {{ ref('int_freshness__facts') }} as freshness
    on
        measures.source_name = freshness.source_name
        and freshness.fact_name = any(string_to_array(measures.obtained_from, ' '))
group by
    freshness.council_code,
    measures.measure_id
