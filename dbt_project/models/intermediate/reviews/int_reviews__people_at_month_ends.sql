-- K001 person by person: those with long-term support open at a month end, and their latest completed review up to it.
-- The 12 months are whole: to 28 February 2021 they begin on 1 March 2020, also after a leap day.

with month_ends as (
    select
        month_end_date,
        (month_end_date + 1 - interval '12 months')::date as window_start_date,
        (month_end_date + 1 - interval '{{ var("k001_minimum_support_months") }} months')::date as latest_start_date
    from {{ ref('int_calendar__month_ends') }}
),

long_term_spells as (
    select
        council_code,
        person_id,
        start_date,
        end_date,
        first_element_ref,
        first_split_number
    from {{ ref('int_support__long_term_spells') }}
),

reviews as (
    select
        council_code,
        review_id,
        person_id,
        review_date,
        team_ref,
        lead(review_date) over (partition by council_code, person_id order by review_date, step_ref)
            as next_review_date
    from {{ ref('int_reviews__completed') }}
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

-- Spells of one person never overlap, so a person is here once for a month end.
people_supported as (
    select
        long_term_spells.council_code,
        month_ends.month_end_date,
        month_ends.window_start_date,
        long_term_spells.person_id,
        long_term_spells.first_element_ref,
        long_term_spells.first_split_number
    from month_ends
    inner join long_term_spells
        on
            month_ends.month_end_date >= long_term_spells.start_date
            and month_ends.latest_start_date >= long_term_spells.start_date
            and (long_term_spells.end_date is null or month_ends.month_end_date <= long_term_spells.end_date)
)

-- Any review lies in the 12 months if the latest one up to the month end does, and that is one row or none.
select
    people_supported.council_code,
    people_supported.month_end_date,
    people_supported.person_id,
    {{ age_band('people.birth_date', 'people_supported.month_end_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    reviews.team_ref,
    coalesce(reviews.review_date >= people_supported.window_start_date, false) as is_reviewed,
    reviews.review_id,
    people_supported.first_element_ref || '-' || people_supported.first_split_number as first_service_id
from people_supported
inner join people
    on
        people_supported.council_code = people.council_code
        and people_supported.person_id = people.person_id
left join reviews
    on
        people_supported.council_code = reviews.council_code
        and people_supported.person_id = reviews.person_id
        and people_supported.month_end_date >= reviews.review_date
        and (reviews.next_review_date is null or people_supported.month_end_date < reviews.next_review_date)
left join support_reasons
    on
        people_supported.council_code = support_reasons.council_code
        and people_supported.person_id = support_reasons.person_id
        and people_supported.month_end_date between support_reasons.start_date and support_reasons.end_date
