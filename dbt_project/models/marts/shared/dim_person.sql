with people as (
    select
        council_code,
        person_id,
        birth_date,
        gender_code,
        death_date
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
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code
from people
left join support_reasons
    on
        people.council_code = support_reasons.council_code
        and people.person_id = support_reasons.person_id
