with people as (
    select
        council_code,
        person_id,
        birth_date,
        gender_code,
        death_date,
        home_area_code,
        count(*) over (partition by council_code, home_area_code) as people_in_area
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code
    from {{ ref('int_persons__support_reasons') }}
    where
        start_date <= {{ as_at() }}
        and (end_date is null or end_date >= {{ as_at() }})
)

select
    {{ publication_id() }} as publication_id,
    people.council_code,
    people.person_id,
    {{ age_band('people.birth_date', as_at()) }} as age_band,
    people.gender_code,
    people.death_date is not null as is_deceased,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    -- Where few live, the area and an age band are nearly an address.
    case
        when people.home_area_code is null then 'unknown'
        when people.people_in_area < {{ var('fewest_people_in_area') }} then 'other'
        else people.home_area_code
    end as home_area_code
from people
left join support_reasons
    on
        people.council_code = support_reasons.council_code
        and people.person_id = support_reasons.person_id
