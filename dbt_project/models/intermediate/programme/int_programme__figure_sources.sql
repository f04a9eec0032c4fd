-- Which programmes' own figures make up each programme's. The top of a tree is always the sum of what its programmes
-- report (R07); below it, a programme's own figures stand, since the parts of a report of exceptions do not add up
-- (R06).

with recursive programmes as (
    select
        council_code,
        programme_ref,
        parent_programme_ref
    from {{ ref('stg_programme__programmes') }}
),

reporters as (
    select
        council_code,
        report_date,
        programme_ref
    from {{ ref('stg_programme__savings_targets') }}

    union

    select
        council_code,
        report_date,
        programme_ref
    from {{ ref('stg_programme__amounts_at_risk') }}

    union

    select
        council_code,
        report_date,
        programme_ref
    from {{ ref('stg_programme__alternative_delivery') }}
),

report_dates as (
    select distinct
        council_code,
        report_date
    from reporters
),

programmes_at_report_dates as (
    select
        programmes.council_code,
        report_dates.report_date,
        programmes.programme_ref,
        programmes.parent_programme_ref,
        reporters.programme_ref is not null as has_own_figures
    from programmes
    inner join report_dates on programmes.council_code = report_dates.council_code
    left join reporters
        on
            programmes.council_code = reporters.council_code
            and programmes.programme_ref = reporters.programme_ref
            and report_dates.report_date = reporters.report_date
),

-- From each programme down its tree, until one is reached that has figures of its own. UNION, not UNION ALL: a
-- programme that is its own ancestor must not be walked for ever.
reached_programmes as (
    select
        council_code,
        report_date,
        programme_ref,
        parent_programme_ref is null as is_top,
        programme_ref as reached_programme_ref,
        has_own_figures and parent_programme_ref is not null as is_source
    from programmes_at_report_dates

    union

    select
        reached_programmes.council_code,
        reached_programmes.report_date,
        reached_programmes.programme_ref,
        reached_programmes.is_top,
        children.programme_ref as reached_programme_ref,
        children.has_own_figures as is_source
    from reached_programmes
    inner join programmes_at_report_dates as children
        on
            reached_programmes.council_code = children.council_code
            and reached_programmes.report_date = children.report_date
            and reached_programmes.reached_programme_ref = children.parent_programme_ref
    where not reached_programmes.is_source
)

select
    council_code,
    report_date,
    programme_ref,
    is_top,
    reached_programme_ref as source_programme_ref
from reached_programmes
where is_source

union

-- A top programme with nothing beneath it that reports keeps its own figures.
select
    tops.council_code,
    tops.report_date,
    tops.programme_ref,
    true as is_top,
    tops.programme_ref as source_programme_ref
from programmes_at_report_dates as tops
where
    tops.parent_programme_ref is null
    and tops.has_own_figures
    and not exists (
        select 1
        from reached_programmes
        where
            reached_programmes.is_source
            and tops.council_code = reached_programmes.council_code
            and tops.report_date = reached_programmes.report_date
            and tops.programme_ref = reached_programmes.programme_ref
    )
