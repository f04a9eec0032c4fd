-- K001: of the people with long-term support open at a month end, how many had a completed review in the 12 months
-- up to it. The 12 months are whole: to 28 February 2021 they begin on 1 March 2020, also after a leap day.

with month_ends as (
    select
        council_code,
        month_end_date,
        (month_end_date + 1 - interval '12 months')::date as window_start_date,
        (month_end_date + 1 - interval '{{ var("k001_minimum_support_months") }} months')::date as latest_start_date
    from {{ ref('int_calendar__measure_periods') }}
    where measure_id = 'K001'
),

long_term_spells as (
    select
        council_code,
        person_id,
        start_date,
        end_date
    from {{ ref('int_support__long_term_spells') }}
),

reviews as (
    select
        council_code,
        person_id,
        review_date,
        lead(review_date) over (partition by council_code, person_id order by review_date) as next_review_date
    from {{ ref('int_reviews__completed') }}
),

persons as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

-- Spells of one person never overlap, so a person is here once for a month end.
people_supported as (
    select
        month_ends.council_code,
        month_ends.month_end_date,
        month_ends.window_start_date,
        long_term_spells.person_id
    from month_ends
    inner join long_term_spells
        on
            month_ends.council_code = long_term_spells.council_code
            and month_ends.month_end_date >= long_term_spells.start_date
            and month_ends.latest_start_date >= long_term_spells.start_date
            and (long_term_spells.end_date is null or month_ends.month_end_date <= long_term_spells.end_date)
),

-- Any review lies in the 12 months if the latest one up to the month end does, and that is one row or none.
people_with_latest_review as (
    select
        people_supported.council_code,
        people_supported.month_end_date,
        {{ age_band('persons.birth_date', 'people_supported.month_end_date') }} as age_band,
        coalesce(reviews.review_date >= people_supported.window_start_date, false) as is_reviewed
    from people_supported
    inner join persons
        on
            people_supported.council_code = persons.council_code
            and people_supported.person_id = persons.person_id
    left join reviews
        on
            people_supported.council_code = reviews.council_code
            and people_supported.person_id = reviews.person_id
            and people_supported.month_end_date >= reviews.review_date
            and (reviews.next_review_date is null or people_supported.month_end_date < reviews.next_review_date)
)

select
    council_code,
    month_end_date,
    age_band,
    count(*) filter (where is_reviewed) as reviewed_count,
    count(*) as supported_count
from people_with_latest_review
group by
    council_code,
    month_end_date,
    age_band
