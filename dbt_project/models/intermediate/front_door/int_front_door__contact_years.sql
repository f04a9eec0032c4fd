-- People by financial year, each on the day of the first contact of a kind: K037 linked to a community resource, K058
-- self-funders advised. Somebody who gave no name may be anybody, so each such contact is one more person.

with contacts as (
    select
        council_code,
        contact_ref,
        contact_id,
        person_id,
        coalesce(person_id, contact_id) as somebody,
        contact_date,
        {{ financial_year_start('contact_date') }} as year_start_date,
        outcome_code,
        is_self_funder,
        age_band,
        team_ref
    from {{ ref('int_front_door__contacts') }}
),

contacts_by_measure as (
    select
        'K037' as measure_id,
        *
    from contacts
    where
        outcome_code = 'community_resource'
        and age_band <> 'under 18'

    union all

    select
        'K058' as measure_id,
        *
    from contacts
    where
        outcome_code = 'advice'
        and is_self_funder
)

select distinct on (council_code, measure_id, somebody, year_start_date)
    council_code,
    measure_id,
    person_id,
    year_start_date,
    contact_date,
    contact_id,
    team_ref
from contacts_by_measure
order by
    council_code asc,
    measure_id asc,
    somebody asc,
    year_start_date asc,
    contact_date asc,
    contact_ref asc
