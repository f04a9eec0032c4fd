-- Each person's package cut into times in which nothing about its cost changes. Every start and end of a service, of a
-- setting or of a contribution is a change of some amounts on a day; running sums of the changes are what is in force.
-- So nested, touching and repeated rows need no care, and the work grows with the rows alone.

with services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        overlap_priority,
        start_date,
        end_date,
        weekly_cost_gbp,
        weekly_health_gbp,
        weekly_better_care_fund_gbp
    from {{ ref('int_support__services') }}
    -- Reablement is free: a short-term service without a price is no unknown cost.
    where
        is_long_term
        or weekly_cost_gbp is not null
),

contributions as (
    select
        council_code,
        person_id,
        start_date,
        end_date,
        weekly_contribution_gbp,
        is_full_cost
    from {{ ref('int_packages__contributions') }}
),

-- Who delivers no financial assessments has not said that people pay nothing.
assessing_councils as (
    select distinct council_code
    from {{ ref('stg_audit__accepted_batches') }}
    where
        source_name = 'mosaic'
        and table_name = 'financial_assessments'
),

settings as (
    select
        service_type_code,
        1::bigint << overlap_priority as setting_bit
    from {{ ref('setting_hierarchy') }}
),

-- A setting is in force from its first row to the last of those that touch: see int_support__long_term_spells.
settings_with_reach as (
    select
        *,
        max(coalesce(end_date, 'infinity')) over (
            partition by council_code, person_id, overlap_priority
            order by start_date, element_ref, split_number
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from services
),

settings_with_number as (
    select
        *,
        count(*) filter (where latest_end_before is null or start_date > latest_end_before + 1) over (
            partition by council_code, person_id, overlap_priority
            order by start_date, element_ref, split_number
        ) as stay_number
    from settings_with_reach
),

stays as (
    select
        council_code,
        person_id,
        1::bigint << overlap_priority as setting_bit,
        min(start_date) as start_date,
        nullif(max(coalesce(end_date, 'infinity')), 'infinity') as end_date
    from settings_with_number
    group by
        council_code,
        person_id,
        overlap_priority,
        stay_number
),

-- Amounts are added up in whole pence: exact, and much faster.
starts as (
    select
        council_code,
        person_id,
        start_date,
        end_date,
        1 as service_count,
        (weekly_cost_gbp is null)::integer as unpriced_service_count,
        (coalesce(weekly_cost_gbp, 0) * 100)::bigint as gross_pence,
        (coalesce(weekly_health_gbp, 0) * 100)::bigint as health_pence,
        (coalesce(weekly_better_care_fund_gbp, 0) * 100)::bigint as fund_pence,
        0::bigint as assessed_pence,
        0 as full_cost_count,
        0::bigint as setting_bits
    from services

    union all

    -- The settings of one person that are in force are bits of one number, since a stay never overlaps its like.
    select
        council_code,
        person_id,
        start_date,
        end_date,
        0 as service_count,
        0 as unpriced_service_count,
        0 as gross_pence,
        0 as health_pence,
        0 as fund_pence,
        0 as assessed_pence,
        0 as full_cost_count,
        setting_bit as setting_bits
    from stays

    union all

    select
        council_code,
        person_id,
        start_date,
        end_date,
        0 as service_count,
        0 as unpriced_service_count,
        0 as gross_pence,
        0 as health_pence,
        0 as fund_pence,
        (weekly_contribution_gbp * 100)::bigint as assessed_pence,
        is_full_cost::integer as full_cost_count,
        0 as setting_bits
    from contributions
),

changes as (
    select
        starts.council_code,
        starts.person_id,
        change_days.change_date,
        starts.service_count * change_days.direction as service_count,
        starts.unpriced_service_count * change_days.direction as unpriced_service_count,
        starts.gross_pence * change_days.direction as gross_pence,
        starts.health_pence * change_days.direction as health_pence,
        starts.fund_pence * change_days.direction as fund_pence,
        starts.assessed_pence * change_days.direction as assessed_pence,
        starts.full_cost_count * change_days.direction as full_cost_count,
        starts.setting_bits * change_days.direction as setting_bits
    from starts
    cross join
        lateral (values (starts.start_date, 1), (starts.end_date + 1, -1)) as change_days (change_date, direction)
    where change_days.change_date is not null
),

-- Changes of one day are peers, so each of them has the sum at the end of the day.
in_force as (
    select
        council_code,
        person_id,
        change_date,
        sum(service_count) over person_so_far as service_count,
        sum(unpriced_service_count) over person_so_far as unpriced_service_count,
        sum(gross_pence) over person_so_far as gross_pence,
        sum(health_pence) over person_so_far as health_pence,
        sum(fund_pence) over person_so_far as fund_pence,
        sum(assessed_pence) over person_so_far as assessed_pence,
        sum(full_cost_count) over person_so_far as full_cost_count,
        (sum(setting_bits) over person_so_far)::bigint as setting_bits
    from changes
    window person_so_far as (partition by council_code, person_id order by change_date)
),

-- Whoever pays the whole cost pays the council's share; nobody pays more than that, and care that health pays for is
-- free. Days without a package are all alike.
costs_in_force as (
    select
        council_code,
        person_id,
        change_date,
        service_count,
        unpriced_service_count,
        setting_bits & -setting_bits as setting_bit,
        case when unpriced_service_count = 0 then gross_pence end as gross_pence,
        case when unpriced_service_count = 0 then health_pence end as health_pence,
        case when unpriced_service_count = 0 then fund_pence end as fund_pence,
        case
            when unpriced_service_count > 0 then null
            when service_count = 0 then 0
            when full_cost_count > 0 then gross_pence - health_pence - fund_pence
            else least(assessed_pence, gross_pence - health_pence - fund_pence)
        end as contribution_pence
    from in_force
),

costs_with_previous as (
    select
        *,
        lag(service_count) over earlier as previous_service_count,
        lag(unpriced_service_count) over earlier as previous_unpriced_service_count,
        lag(setting_bit) over earlier as previous_setting_bit,
        lag(gross_pence) over earlier as previous_gross_pence,
        lag(health_pence) over earlier as previous_health_pence,
        lag(fund_pence) over earlier as previous_fund_pence,
        lag(contribution_pence) over earlier as previous_contribution_pence
    from costs_in_force
    window earlier as (partition by council_code, person_id order by change_date)
),

segment_starts as (
    select
        *,
        lead(change_date) over (partition by council_code, person_id order by change_date) - 1 as end_date
    from costs_with_previous
    where
        (
            service_count,
            unpriced_service_count,
            setting_bit,
            gross_pence,
            health_pence,
            fund_pence,
            contribution_pence
        )
        is distinct from
        (
            previous_service_count,
            previous_unpriced_service_count,
            previous_setting_bit,
            previous_gross_pence,
            previous_health_pence,
            previous_fund_pence,
            previous_contribution_pence
        )
)

select
    segment_starts.council_code,
    segment_starts.person_id || '-' || to_char(segment_starts.change_date, 'YYYYMMDD') as package_segment_id,
    segment_starts.person_id,
    segment_starts.change_date as start_date,
    segment_starts.end_date,
    settings.service_type_code as setting_code,
    segment_starts.service_count::integer as service_count,
    segment_starts.unpriced_service_count::integer as unpriced_service_count,
    (segment_starts.gross_pence / 100)::numeric(16, 2) as weekly_gross_gbp,
    (segment_starts.health_pence / 100)::numeric(16, 2) as weekly_health_gbp,
    (segment_starts.fund_pence / 100)::numeric(16, 2) as weekly_better_care_fund_gbp,
    case
        when assessing_councils.council_code is not null then segment_starts.contribution_pence / 100
    end::numeric(16, 2) as weekly_contribution_gbp,
    case
        when assessing_councils.council_code is not null
            then
                (
                    segment_starts.gross_pence
                    - segment_starts.health_pence
                    - segment_starts.fund_pence
                    - segment_starts.contribution_pence
                ) / 100
    end::numeric(16, 2) as weekly_net_gbp
from segment_starts
inner join settings on segment_starts.setting_bit = settings.setting_bit
left join assessing_councils on segment_starts.council_code = assessing_councils.council_code
where segment_starts.service_count > 0
