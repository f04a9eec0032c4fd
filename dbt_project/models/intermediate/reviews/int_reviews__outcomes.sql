-- What came of each completed review. The change it led to is that of the splits which name its step; where none does,
-- the first change otherwise than by price alone soon after it and before the next review, so that one change is
-- never the outcome of two reviews.

with reviews as (
    select
        council_code,
        review_id,
        step_ref,
        person_id,
        review_kind_code,
        is_targeted_review,
        review_date,
        recorded_date,
        team_ref,
        lead(review_date) over (partition by council_code, person_id order by review_date, step_ref)
            as next_review_date
    from {{ ref('int_reviews__completed') }}
),

services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        start_date,
        step_ref,
        project_ref
    from {{ ref('int_support__services') }}
),

change_days as (
    select
        council_code,
        person_id,
        change_date
    from {{ ref('int_packages__change_days') }}
    where not is_agreed_at_step
),

segments as (
    select
        council_code,
        person_id,
        start_date,
        coalesce(end_date, 'infinity') as end_date,
        lag(end_date) over (partition by council_code, person_id order by start_date) as previous_end_date,
        lead(start_date) over (partition by council_code, person_id order by start_date) as next_start_date,
        weekly_gross_gbp
    from {{ ref('int_packages__segments') }}
),

methods as (
    select
        council_code,
        step_ref,
        review_method_code,
        is_alternative
    from {{ ref('int_reviews__methods') }}
),

measure_projects as (
    select
        council_code,
        min(project_ref) as project_ref
    from {{ ref('measure_projects') }}
    where measure_id = 'K002'
    group by council_code
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

agreed as (
    select
        council_code,
        person_id,
        step_ref,
        min(start_date) as effective_date,
        (
            array_agg(project_ref order by start_date, element_ref, split_number)
            filter (where project_ref is not null)
        )[1] as project_ref
    from services
    where step_ref is not null
    group by
        council_code,
        person_id,
        step_ref
),

credited_starts as (
    select
        council_code,
        person_id,
        start_date,
        (array_agg(project_ref order by element_ref, split_number))[1] as project_ref
    from services
    where project_ref is not null
    group by
        council_code,
        person_id,
        start_date
),

first_changes as (
    select
        reviews.council_code,
        reviews.review_id,
        min(change_days.change_date) as change_date
    from reviews
    inner join change_days
        on
            reviews.council_code = change_days.council_code
            and reviews.person_id = change_days.person_id
            and reviews.review_date <= change_days.change_date
            and reviews.review_date + {{ var('review_change_window_days') }} > change_days.change_date
            and (reviews.next_review_date is null or reviews.next_review_date > change_days.change_date)
    group by
        reviews.council_code,
        reviews.review_id
),

reviews_with_change as (
    select
        reviews.*,
        coalesce(agreed.effective_date, first_changes.change_date) as effective_date,
        case
            when agreed.effective_date is not null then 'agreed_at_review'
            when first_changes.change_date is not null then 'first_change_after'
            else 'no_change'
        end as effective_date_basis_code,
        case when agreed.effective_date is null then credited_starts.project_ref else agreed.project_ref end
            as project_ref
    from reviews
    left join agreed
        on
            reviews.council_code = agreed.council_code
            and reviews.person_id = agreed.person_id
            and reviews.step_ref = agreed.step_ref
    left join first_changes
        on
            reviews.council_code = first_changes.council_code
            and reviews.review_id = first_changes.review_id
    left join credited_starts
        on
            first_changes.council_code = credited_starts.council_code
            and reviews.person_id = credited_starts.person_id
            and first_changes.change_date = credited_starts.start_date
),

-- A few days between two packages, as on a move, are neither an end nor a beginning. Where nothing changed, the package
-- is that of the day of the review.
reviews_with_reach as (
    select
        *,
        coalesce(effective_date - 1, review_date) as before_date,
        coalesce(effective_date, review_date) as after_date,
        case when effective_date is null then 0 else {{ var('package_gap_days') }} end as gap_days
    from reviews_with_change
),

-- Segments of a person never overlap, so at most one is the latest begun by a day, and one the first to end after it.
reviews_with_cost as (
    select
        reviews_with_reach.*,
        segment_before.person_id is not null as has_package_before,
        segment_after.person_id is not null as has_package_after,
        segment_before.weekly_gross_gbp as weekly_cost_before_gbp,
        case when segment_after.person_id is null then 0 else segment_after.weekly_gross_gbp end
            as weekly_cost_after_gbp
    from reviews_with_reach
    left join segments as segment_before
        on
            reviews_with_reach.council_code = segment_before.council_code
            and reviews_with_reach.person_id = segment_before.person_id
            and reviews_with_reach.before_date >= segment_before.start_date
            and (
                segment_before.next_start_date is null
                or reviews_with_reach.before_date < segment_before.next_start_date
            )
            and reviews_with_reach.before_date - reviews_with_reach.gap_days <= segment_before.end_date
    left join segments as segment_after
        on
            reviews_with_reach.council_code = segment_after.council_code
            and reviews_with_reach.person_id = segment_after.person_id
            and reviews_with_reach.after_date <= segment_after.end_date
            and (
                segment_after.previous_end_date is null
                or reviews_with_reach.after_date > segment_after.previous_end_date
            )
            and reviews_with_reach.after_date + reviews_with_reach.gap_days >= segment_after.start_date
)

select
    reviews_with_cost.council_code,
    reviews_with_cost.review_id,
    reviews_with_cost.step_ref,
    reviews_with_cost.person_id,
    reviews_with_cost.review_kind_code,
    reviews_with_cost.is_targeted_review,
    reviews_with_cost.review_date,
    reviews_with_cost.recorded_date,
    reviews_with_cost.team_ref,
    coalesce(methods.review_method_code, 'not_recorded') as review_method_code,
    methods.is_alternative as is_alternative_method,
    {{ age_band('people.birth_date', 'reviews_with_cost.review_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    reviews_with_cost.effective_date,
    reviews_with_cost.effective_date_basis_code,
    case
        when not reviews_with_cost.has_package_before then 'no_package'
        when not reviews_with_cost.has_package_after then 'ended'
        when reviews_with_cost.weekly_cost_before_gbp > reviews_with_cost.weekly_cost_after_gbp then 'reduced'
        when reviews_with_cost.weekly_cost_before_gbp = reviews_with_cost.weekly_cost_after_gbp then 'same'
        when reviews_with_cost.weekly_cost_before_gbp < reviews_with_cost.weekly_cost_after_gbp then 'increased'
        else 'not_priced'
    end as outcome_code,
    reviews_with_cost.weekly_cost_before_gbp,
    (case when reviews_with_cost.has_package_before then reviews_with_cost.weekly_cost_after_gbp end)::numeric(16, 2)
        as weekly_cost_after_gbp,
    coalesce(
        reviews_with_cost.project_ref,
        case when reviews_with_cost.is_targeted_review then measure_projects.project_ref end
    ) as project_ref
from reviews_with_cost
inner join people
    on
        reviews_with_cost.council_code = people.council_code
        and reviews_with_cost.person_id = people.person_id
left join methods
    on
        reviews_with_cost.council_code = methods.council_code
        and reviews_with_cost.step_ref = methods.step_ref
left join support_reasons
    on
        reviews_with_cost.council_code = support_reasons.council_code
        and reviews_with_cost.person_id = support_reasons.person_id
        and reviews_with_cost.review_date between support_reasons.start_date and support_reasons.end_date
left join measure_projects on reviews_with_cost.council_code = measure_projects.council_code
