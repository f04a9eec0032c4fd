-- What lies of each segment in each month: so many days at one weekly rate.

with segments as (
    select
        council_code,
        package_segment_id,
        person_id,
        start_date,
        end_date,
        setting_code,
        unpriced_service_count,
        weekly_gross_gbp,
        weekly_health_gbp,
        weekly_better_care_fund_gbp,
        weekly_contribution_gbp,
        weekly_net_gbp
    from {{ ref('int_packages__segments') }}
),

month_ends as (
    select
        month_end_date,
        date_trunc('month', month_end_date::timestamp)::date as month_start_date
    from {{ ref('int_calendar__month_ends') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        coalesce(end_date, 'infinity') as end_date
    from {{ ref('int_persons__support_reasons') }}
),

months_held as (
    select
        min(month_start_date) as first_date,
        max(month_end_date) as last_date
    from month_ends
),

-- Each segment meets its own months alone: joined to all of them the work would grow with both.
slices as (
    select
        segments.*,
        {{ month_end('months.month_start') }} as month_end_date,
        greatest(segments.start_date, months.month_start::date) as slice_start_date,
        least(coalesce(segments.end_date, 'infinity'), {{ month_end('months.month_start') }}) as slice_end_date
    from segments
    inner join months_held
        on
            segments.start_date <= months_held.last_date
            and (segments.end_date is null or segments.end_date >= months_held.first_date)
    cross join lateral generate_series(
        date_trunc('month', greatest(segments.start_date, months_held.first_date)::timestamp),
        least(coalesce(segments.end_date, 'infinity'), months_held.last_date)::timestamp,
        interval '1 month'
    ) as months (month_start)
)

select
    slices.council_code,
    slices.package_segment_id,
    slices.person_id,
    slices.month_end_date,
    slices.slice_start_date as start_date,
    slices.slice_end_date as end_date,
    slices.slice_end_date = slices.month_end_date as is_at_month_end,
    slices.setting_code,
    {{ age_band('people.birth_date', 'slices.slice_end_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    slices.unpriced_service_count,
    slices.weekly_gross_gbp,
    slices.weekly_health_gbp,
    slices.weekly_better_care_fund_gbp,
    slices.weekly_contribution_gbp,
    slices.weekly_net_gbp
from slices
inner join people
    on
        slices.council_code = people.council_code
        and slices.person_id = people.person_id
left join support_reasons
    on
        slices.council_code = support_reasons.council_code
        and slices.person_id = support_reasons.person_id
        and slices.slice_end_date between support_reasons.start_date and support_reasons.end_date
