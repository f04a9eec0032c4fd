with measure_periods as (
    select
        council_code,
        measure_id,
        month_end_date,
        financial_year,
        period_number,
        is_latest
    from {{ ref('int_calendar__measure_periods') }}
),

people_at_month_ends as (
    select
        council_code,
        month_end_date,
        is_reviewed
    from {{ ref('int_reviews__people_at_month_ends') }}
),

reviews as (
    select
        *,
        {{ month_end('review_date') }} as month_end_date
    from {{ ref('int_reviews__outcomes') }}
),

reviews_awaiting as (
    select
        council_code,
        {{ month_end('review_date') }} as month_end_date
    from {{ ref('int_reviews__awaiting_authorisation') }}
),

-- K006 needs reviews alone, so its months are all that can be shown; K001 needs twelve of them.
months as (
    select distinct
        council_code,
        month_end_date,
        financial_year,
        period_number,
        is_latest
    from measure_periods
    where measure_id = 'K006'
),

months_of_k001 as (
    select distinct
        council_code,
        month_end_date
    from measure_periods
    where measure_id = 'K001'
),

people_by_month as (
    select
        people_at_month_ends.council_code,
        people_at_month_ends.month_end_date,
        count(*) as supported_people_count,
        count(*) filter (where people_at_month_ends.is_reviewed) as reviewed_people_count
    from people_at_month_ends
    inner join months_of_k001
        on
            people_at_month_ends.council_code = months_of_k001.council_code
            and people_at_month_ends.month_end_date = months_of_k001.month_end_date
    group by
        people_at_month_ends.council_code,
        people_at_month_ends.month_end_date
),

reviews_by_month as (
    select
        council_code,
        month_end_date,
        count(*) as review_count,
        count(*) filter (where review_kind_code = 'planned') as planned_count,
        count(*) filter (where review_kind_code = 'unplanned') as unplanned_count,
        count(*) filter (where is_targeted_review) as targeted_count,
        count(*) filter (where is_alternative_method) as alternative_method_count,
        avg(recorded_date - review_date) as average_recording_lag_days,
        count(*) filter (where outcome_code = 'reduced') as reduced_count,
        count(*) filter (where outcome_code = 'same') as same_count,
        count(*) filter (where outcome_code = 'increased') as increased_count,
        count(*) filter (where outcome_code = 'ended') as ended_count,
        count(*) filter (where outcome_code in ('not_priced', 'no_package')) as outcome_unknown_count,
        count(*) filter (where is_targeted_review and outcome_code = 'reduced') as targeted_reduced_count,
        avg(weekly_cost_before_gbp - weekly_cost_after_gbp) filter (
            where
            is_targeted_review
            and (not {{ var('k004_only_reductions') }} or weekly_cost_after_gbp < weekly_cost_before_gbp)
        ) as average_weekly_saving_gbp
    from reviews
    group by
        council_code,
        month_end_date
),

awaiting_by_month as (
    select
        council_code,
        month_end_date,
        count(*) as awaiting_count
    from reviews_awaiting
    group by
        council_code,
        month_end_date
)

select
    {{ publication_id() }} as publication_id,
    months.council_code,
    months.month_end_date,
    months.financial_year,
    months.period_number,
    people_by_month.supported_people_count::integer as supported_people_count,
    people_by_month.reviewed_people_count::integer as reviewed_people_count,
    round(100.0 * people_by_month.reviewed_people_count / people_by_month.supported_people_count, 2)::numeric(5, 2)
        as reviewed_percent,
    coalesce(reviews_by_month.review_count, 0)::integer as review_count,
    coalesce(reviews_by_month.planned_count, 0)::integer as planned_review_count,
    coalesce(reviews_by_month.unplanned_count, 0)::integer as unplanned_review_count,
    coalesce(reviews_by_month.targeted_count, 0)::integer as targeted_review_count,
    coalesce(reviews_by_month.alternative_method_count, 0)::integer as alternative_method_count,
    coalesce(awaiting_by_month.awaiting_count, 0)::integer as awaiting_authorisation_count,
    round(reviews_by_month.average_recording_lag_days, 1)::numeric(8, 1) as average_recording_lag_days,
    coalesce(reviews_by_month.reduced_count, 0)::integer as reduced_count,
    coalesce(reviews_by_month.same_count, 0)::integer as same_count,
    coalesce(reviews_by_month.increased_count, 0)::integer as increased_count,
    coalesce(reviews_by_month.ended_count, 0)::integer as ended_count,
    coalesce(reviews_by_month.outcome_unknown_count, 0)::integer as outcome_unknown_count,
    coalesce(reviews_by_month.targeted_reduced_count, 0)::integer as targeted_reduced_count,
    reviews_by_month.average_weekly_saving_gbp::numeric(16, 2) as average_weekly_saving_gbp,
    months.is_latest as is_provisional,
    {{ as_at() }} as as_at_date,
    {{ data_status_code('months.council_code', ['fct_reviews'], 'months.month_end_date') }} as data_status_code
from months
left join people_by_month
    on
        months.council_code = people_by_month.council_code
        and months.month_end_date = people_by_month.month_end_date
left join reviews_by_month
    on
        months.council_code = reviews_by_month.council_code
        and months.month_end_date = reviews_by_month.month_end_date
left join awaiting_by_month
    on
        months.council_code = awaiting_by_month.council_code
        and months.month_end_date = awaiting_by_month.month_end_date
