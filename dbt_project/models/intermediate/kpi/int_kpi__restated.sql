-- A figure is restated when it is not what the last publication said of the same period, and stays so from then on. A
-- month that was not published before is new, and one that left the window is merely no longer shown: neither is
-- restated. A part of a council that had no figure in a published period, or has none any more, is.

with previous_publication as (
    select
        publication_id,
        as_at_date,
        code_version
    from {{ ref('stg_store__previous_publication') }}
),

this_build as (
    select code_version
    from {{ ref('stg_audit__this_build') }}
),

published as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value,
        numerator,
        denominator,
        value,
        value_text
    from {{ ref('stg_store__published_values') }}
),

published_periods as (
    select distinct
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type
    from published
),

offered as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value,
        numerator::numeric(18, 2) as numerator,
        denominator::numeric(18, 2) as denominator,
        value::numeric(18, 2) as value,
        value_text
    from {{ ref('int_kpi__figures') }}
),

first_month_end as (
    select min(month_end_date) as first_month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

restated_before as (
    select *
    from {{ ref('stg_store__published_restatements') }}
),

compared as (
    select
        coalesce(published.council_code, offered.council_code) as council_code,
        coalesce(published.measure_id, offered.measure_id) as measure_id,
        coalesce(published.period_type, offered.period_type) as period_type,
        coalesce(published.period_end_date, offered.period_end_date) as period_end_date,
        coalesce(published.breakdown_type, offered.breakdown_type) as breakdown_type,
        coalesce(published.breakdown_value, offered.breakdown_value) as breakdown_value,
        case
            when offered.council_code is null then 'vanished'
            when published.council_code is null then 'appeared'
            else 'changed'
        end as change_code,
        published.numerator as previous_numerator,
        published.denominator as previous_denominator,
        published.value as previous_value,
        published.value_text as previous_value_text,
        offered.numerator as restated_numerator,
        offered.denominator as restated_denominator,
        offered.value as restated_value,
        offered.value_text as restated_value_text
    from published
    full join offered
        on
            published.council_code = offered.council_code
            and published.measure_id = offered.measure_id
            and published.period_type = offered.period_type
            and published.period_end_date = offered.period_end_date
            and published.breakdown_type = offered.breakdown_type
            and published.breakdown_value = offered.breakdown_value
    where
        (published.numerator, published.denominator, published.value, published.value_text)
        is distinct from (offered.numerator, offered.denominator, offered.value, offered.value_text)
        or published.council_code is null
        or offered.council_code is null
),

moved as (
    select compared.*
    from compared
    cross join first_month_end
    left join published_periods
        on
            compared.council_code = published_periods.council_code
            and compared.measure_id = published_periods.measure_id
            and compared.period_type = published_periods.period_type
            and compared.period_end_date = published_periods.period_end_date
            and compared.breakdown_type = published_periods.breakdown_type
    where
        (compared.change_code <> 'appeared' or published_periods.council_code is not null)
        and (compared.change_code <> 'vanished' or compared.period_end_date >= first_month_end.first_month_end_date)
)

select
    moved.council_code,
    moved.measure_id,
    moved.period_type,
    moved.period_end_date,
    moved.breakdown_type,
    moved.breakdown_value,
    true as is_since_last_publication,
    moved.change_code,
    previous_publication.publication_id as previous_publication_id,
    previous_publication.as_at_date as previous_as_at_date,
    moved.previous_numerator,
    moved.previous_denominator,
    moved.previous_value,
    moved.previous_value_text,
    moved.restated_numerator,
    moved.restated_denominator,
    moved.restated_value,
    moved.restated_value_text,
    coalesce(previous_publication.code_version <> this_build.code_version, true) as is_code_changed,
    {{ publication_id() }} as restated_publication_id,
    {{ as_at() }} as restated_as_at_date,
    coalesce(restated_before.first_restated_as_at_date, {{ as_at() }}) as first_restated_as_at_date,
    coalesce(restated_before.restatement_count, 0) + 1 as restatement_count
from moved
cross join previous_publication
left join this_build on true
left join restated_before
    on
        moved.council_code = restated_before.council_code
        and moved.measure_id = restated_before.measure_id
        and moved.period_type = restated_before.period_type
        and moved.period_end_date = restated_before.period_end_date
        and moved.breakdown_type = restated_before.breakdown_type
        and moved.breakdown_value = restated_before.breakdown_value

union all

select
    restated_before.council_code,
    restated_before.measure_id,
    restated_before.period_type,
    restated_before.period_end_date,
    restated_before.breakdown_type,
    restated_before.breakdown_value,
    false as is_since_last_publication,
    restated_before.change_code,
    restated_before.previous_publication_id,
    restated_before.previous_as_at_date,
    restated_before.previous_numerator,
    restated_before.previous_denominator,
    restated_before.previous_value,
    restated_before.previous_value_text,
    restated_before.restated_numerator,
    restated_before.restated_denominator,
    restated_before.restated_value,
    restated_before.restated_value_text,
    restated_before.is_code_changed,
    restated_before.restated_publication_id,
    restated_before.restated_as_at_date,
    restated_before.first_restated_as_at_date,
    restated_before.restatement_count
from restated_before
cross join first_month_end
left join moved
    on
        restated_before.council_code = moved.council_code
        and restated_before.measure_id = moved.measure_id
        and restated_before.period_type = moved.period_type
        and restated_before.period_end_date = moved.period_end_date
        and restated_before.breakdown_type = moved.breakdown_type
        and restated_before.breakdown_value = moved.breakdown_value
where
    moved.council_code is null
    and restated_before.period_end_date >= first_month_end.first_month_end_date
