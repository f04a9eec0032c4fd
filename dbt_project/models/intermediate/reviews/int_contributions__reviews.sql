-- What each person adds to K001 at a month end, and each review to K004, K005, K006 and K067.

with people_at_month_ends as (
    select
        council_code,
        month_end_date,
        person_id,
        age_band,
        support_reason_code,
        team_ref,
        is_reviewed,
        review_id,
        first_service_id
    from {{ ref('int_reviews__people_at_month_ends') }}
),

reviews as (
    select
        council_code,
        review_id,
        person_id,
        is_targeted_review,
        review_date,
        team_ref,
        is_alternative_method,
        age_band,
        support_reason_code,
        outcome_code,
        weekly_cost_before_gbp,
        weekly_cost_after_gbp
    from {{ ref('int_reviews__outcomes') }}
),

-- Whoever was not reviewed is explained by the service with which the support began.
k001 as (
    select
        council_code,
        'K001' as measure_id,
        month_end_date as counted_on_date,
        case when is_reviewed then 'fct_reviews' else 'fct_services' end as fact_name,
        case when is_reviewed then review_id else first_service_id end as fact_key,
        person_id,
        team_ref,
        age_band,
        support_reason_code,
        is_reviewed::integer as numerator,
        1 as denominator
    from people_at_month_ends
),

measures_of_reviews as (
    select
        reviews.council_code,
        measures.measure_id,
        reviews.review_date as counted_on_date,
        'fct_reviews' as fact_name,
        reviews.review_id as fact_key,
        reviews.person_id,
        reviews.team_ref,
        reviews.age_band,
        reviews.support_reason_code,
        case measures.measure_id
            when 'K004' then reviews.weekly_cost_before_gbp - reviews.weekly_cost_after_gbp
            when 'K005'
                then (
                    reviews.outcome_code = 'reduced'
                    or (reviews.outcome_code = 'ended' and {{ var('k005_counts_ended') }})
                )::integer
            when 'K006' then 1
            when 'K067' then reviews.is_alternative_method::integer
        end as numerator,
        case when measures.measure_id <> 'K006' then 1 end as denominator
    from reviews
    cross join (values ('K004'), ('K005'), ('K006'), ('K067')) as measures (measure_id)
    where
        case measures.measure_id
            when 'K004'
                then
                    reviews.is_targeted_review
                    and reviews.weekly_cost_before_gbp is not null
                    and reviews.weekly_cost_after_gbp is not null
                    and (
                        not {{ var('k004_only_reductions') }}
                        or reviews.weekly_cost_after_gbp < reviews.weekly_cost_before_gbp
                    )
            when 'K005'
                then reviews.is_targeted_review and reviews.outcome_code in ('reduced', 'same', 'increased', 'ended')
            when 'K006' then reviews.is_targeted_review
            when 'K067' then reviews.is_alternative_method is not null
        end
),

contributions as (
    select * from k001
    union all
    select * from measures_of_reviews
)

select
    council_code::text as council_code,
    measure_id::text as measure_id,
    counted_on_date::date as counted_on_date,
    fact_name::text as fact_name,
    fact_key::text as fact_key,
    person_id::text as person_id,
    team_ref::text as team_ref,
    age_band::text as age_band,
    support_reason_code::text as support_reason_code,
    null::text as other_breakdown_value,
    numerator::numeric as numerator,
    denominator::numeric as denominator
from contributions
