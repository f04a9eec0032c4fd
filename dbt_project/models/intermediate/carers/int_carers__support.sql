-- Support given to carers who are known, ended by the carer's death at the latest. A break may go on for weeks; what
-- else is given is given on one day. Rows that end before they start are void.

with carer_support as (
    select
        council_code,
        support_ref,
        carer_person_ref,
        support_code,
        start_date,
        case when support_code = 'break' then end_date else start_date end as end_date,
        cost_gbp
    from {{ ref('stg_mosaic__carer_support') }}
    where end_date is null or end_date >= start_date
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
),

people as (
    select
        council_code,
        person_id,
        death_date
    from {{ ref('int_persons__people') }}
)

select
    carer_support.council_code,
    carer_support.support_ref,
    carer_support.support_ref::text as carer_support_id,
    people.person_id,
    carer_support.support_code,
    carer_support.start_date,
    least(carer_support.end_date, people.death_date) as end_date,
    carer_support.cost_gbp
from carer_support
inner join identities
    on
        carer_support.council_code = identities.council_code
        and carer_support.carer_person_ref = identities.person_ref
inner join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
where coalesce(people.death_date >= carer_support.start_date, true)
