-- Adults of 18 to 64 with learning disabilities and long-term support at month ends, and whether they live in their own
-- home or with family. The placement is the better witness; the accommodation status lags behind it by weeks.

with spells as (
    select
        council_code,
        person_id,
        start_date,
        end_date
    from {{ ref('int_support__long_term_spells') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('int_persons__support_reasons') }}
    where support_reason_code = 'learning_disability'
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

placements as (
    select
        council_code,
        month_end_date,
        person_id,
        placement_id,
        service_type_code
    from {{ ref('int_placements__month_ends') }}
    where not is_short_stay
),

settings as (
    select
        service_type_code,
        is_care_home
    from {{ ref('setting_hierarchy') }}
),

accommodations as (
    select
        council_code,
        accommodation_id,
        person_id,
        is_own_home_or_family,
        start_date,
        end_date
    from {{ ref('int_placements__accommodations') }}
),

members as (
    select
        spells.council_code,
        month_ends.month_end_date,
        spells.person_id,
        support_reasons.support_reason_code,
        {{ age_band('people.birth_date', 'month_ends.month_end_date') }} as age_band
    from spells
    inner join support_reasons
        on
            spells.council_code = support_reasons.council_code
            and spells.person_id = support_reasons.person_id
    inner join people
        on
            spells.council_code = people.council_code
            and spells.person_id = people.person_id
    inner join month_ends
        on
            spells.start_date <= month_ends.month_end_date
            and (spells.end_date is null or spells.end_date >= month_ends.month_end_date)
            and support_reasons.start_date <= month_ends.month_end_date
            and (support_reasons.end_date is null or support_reasons.end_date >= month_ends.month_end_date)
)

select
    members.council_code,
    members.month_end_date,
    members.person_id,
    members.age_band,
    members.support_reason_code,
    case
        when placements.placement_id is not null then 'fct_placements'
        when accommodations.accommodation_id is not null then 'fct_accommodations'
        else 'dim_person'
    end as fact_name,
    coalesce(placements.placement_id, accommodations.accommodation_id, members.person_id) as fact_key,
    coalesce(not settings.is_care_home, accommodations.is_own_home_or_family) as is_own_home_or_family
from members
left join placements
    on
        members.council_code = placements.council_code
        and members.month_end_date = placements.month_end_date
        and members.person_id = placements.person_id
left join settings on placements.service_type_code = settings.service_type_code
left join accommodations
    on
        members.council_code = accommodations.council_code
        and members.person_id = accommodations.person_id
        and members.month_end_date >= accommodations.start_date
        and (accommodations.end_date is null or members.month_end_date <= accommodations.end_date)
where members.age_band = '18-64'
