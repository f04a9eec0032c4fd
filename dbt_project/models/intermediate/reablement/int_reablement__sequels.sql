-- What followed an episode. Not known before the days are over: an open question is never taken for a success, and a
-- death or an admission that is known already makes a month's sequels no more complete.

with episodes as (
    select
        council_code,
        episode_id,
        person_id,
        start_date,
        end_date,
        end_reason_code,
        end_date + {{ var('reablement_sequel_days') }} as sequel_date,
        end_date + {{ var('reablement_independent_days') }} as independence_date
    from {{ ref('int_reablement__episodes') }}
    where end_date is not null
),

services as (
    select
        council_code,
        person_id,
        service_type_code,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where is_long_term
),

settings as (
    select
        service_type_code,
        is_care_home
    from {{ ref('setting_hierarchy') }}
),

long_term_services as (
    select
        services.council_code,
        services.person_id,
        services.service_type_code,
        settings.is_care_home,
        services.start_date,
        coalesce(services.end_date, 'infinity') as end_date,
        services.weekly_cost_gbp
    from services
    inner join settings on services.service_type_code = settings.service_type_code
),

referrals as (
    select
        council_code,
        person_id,
        referred_date,
        coalesce(discharge_date - 1, 'infinity') as last_date
    from {{ ref('int_hospital__referrals') }}
),

people as (
    select
        council_code,
        person_id,
        death_date
    from {{ ref('int_persons__people') }}
),

support_rows as (
    select
        episodes.council_code,
        episodes.episode_id,
        episodes.start_date - 1 between long_term_services.start_date and long_term_services.end_date
            as is_in_force_before,
        episodes.sequel_date between long_term_services.start_date and long_term_services.end_date
            as is_in_force_after,
        greatest(long_term_services.start_date, episodes.end_date + 1) as first_date_after,
        episodes.independence_date,
        long_term_services.service_type_code,
        long_term_services.is_care_home,
        long_term_services.end_date > episodes.end_date as is_later,
        long_term_services.weekly_cost_gbp
    from episodes
    inner join long_term_services
        on
            episodes.council_code = long_term_services.council_code
            and episodes.person_id = long_term_services.person_id
),

support_around as (
    select
        council_code,
        episode_id,
        count(*) filter (where is_in_force_before) as rows_before,
        count(weekly_cost_gbp) filter (where is_in_force_before) as priced_rows_before,
        sum(weekly_cost_gbp) filter (where is_in_force_before) as cost_before,
        count(*) filter (where is_in_force_after) as rows_after,
        count(weekly_cost_gbp) filter (where is_in_force_after) as priced_rows_after,
        sum(weekly_cost_gbp) filter (where is_in_force_after) as cost_after,
        bool_or(is_in_force_after and is_care_home) as is_in_care_home,
        min(first_date_after) filter (where is_later and first_date_after <= {{ as_at() }}) as later_support_date,
        bool_or(
            is_later
            and first_date_after <= independence_date
            {% if var('k012_home_care_only') %}and service_type_code = 'homecare'{% endif %}
        ) as had_support_within
    from support_rows
    group by
        council_code,
        episode_id
),

hospital_after as (
    select distinct
        episodes.council_code,
        episodes.episode_id
    from episodes
    inner join referrals
        on
            episodes.council_code = referrals.council_code
            and episodes.person_id = referrals.person_id
            and referrals.referred_date <= referrals.last_date
            and episodes.sequel_date >= referrals.referred_date
            and episodes.end_date < referrals.last_date
),

episodes_with_support as (
    select
        episodes.council_code,
        episodes.episode_id,
        episodes.end_date,
        episodes.end_reason_code,
        episodes.sequel_date,
        episodes.sequel_date <= {{ as_at() }} as is_sequel_known,
        episodes.independence_date,
        episodes.independence_date <= {{ as_at() }} as is_independence_known,
        people.death_date,
        hospital_after.episode_id is not null as was_in_hospital,
        coalesce(support_around.is_in_care_home, false) as is_in_care_home,
        coalesce(support_around.rows_before, 0) as rows_before,
        coalesce(support_around.rows_after, 0) as rows_after,
        case
            when support_around.priced_rows_before < support_around.rows_before then null
            else coalesce(support_around.cost_before, 0)
        end::numeric(16, 2) as weekly_cost_before_gbp,
        case
            when support_around.priced_rows_after < support_around.rows_after then null
            else coalesce(support_around.cost_after, 0)
        end::numeric(16, 2) as weekly_cost_after_gbp,
        support_around.later_support_date,
        coalesce(support_around.had_support_within, false) as had_support_within
    from episodes
    left join support_around
        on
            episodes.council_code = support_around.council_code
            and episodes.episode_id = support_around.episode_id
    inner join people
        on
            episodes.council_code = people.council_code
            and episodes.person_id = people.person_id
    left join hospital_after
        on
            episodes.council_code = hospital_after.council_code
            and episodes.episode_id = hospital_after.episode_id
)

select
    council_code,
    episode_id,
    sequel_date,
    case
        when not is_sequel_known then null
        when death_date <= sequel_date then 'died'
        when end_reason_code = 'hospital' or was_in_hospital then 'hospital'
        when is_in_care_home then 'care_home'
        when rows_after = 0 then 'no_further_support'
        when rows_before = 0 or weekly_cost_after_gbp > weekly_cost_before_gbp then 'higher'
        when weekly_cost_after_gbp < weekly_cost_before_gbp then 'lower'
        when weekly_cost_after_gbp = weekly_cost_before_gbp then 'same'
        else 'not_priced'
    end as sequel_code,
    weekly_cost_before_gbp,
    case when is_sequel_known then weekly_cost_after_gbp end as weekly_cost_after_gbp,
    later_support_date,
    later_support_date - end_date as days_to_later_support,
    independence_date,
    case
        when is_independence_known
            then not had_support_within and coalesce(death_date > independence_date, true)
    end as is_independent
from episodes_with_support
