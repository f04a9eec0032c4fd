-- Who was in which setting on the last day of a month, and what it cost that day.

with settings as (
    select
        council_code,
        person_id,
        placement_id,
        is_short_stay,
        service_type_code,
        start_date,
        end_date,
        weekly_cost_gbp,
        weekly_council_gbp
    from {{ ref('int_placements__settings') }}
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
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
        end_date
    from {{ ref('int_persons__support_reasons') }}
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

stock as (
    select
        settings.*,
        month_ends.month_end_date,
        {{ age_band('people.birth_date', 'month_ends.month_end_date') }} as age_band
    from settings
    inner join month_ends
        on
            settings.start_date <= month_ends.month_end_date
            and (settings.end_date is null or settings.end_date >= month_ends.month_end_date)
    inner join people
        on
            settings.council_code = people.council_code
            and settings.person_id = people.person_id
),

costed as (
    select
        stock.*,
        coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
        case
            when stock.weekly_council_gbp is null or assessing_councils.council_code is null then null
            when contributions.is_full_cost then 0
            else greatest(stock.weekly_council_gbp - coalesce(contributions.weekly_contribution_gbp, 0), 0)
        end::numeric(16, 2) as net_weekly_cost_gbp
    from stock
    left join assessing_councils on stock.council_code = assessing_councils.council_code
    left join support_reasons
        on
            stock.council_code = support_reasons.council_code
            and stock.person_id = support_reasons.person_id
            and stock.month_end_date >= support_reasons.start_date
            and (support_reasons.end_date is null or stock.month_end_date <= support_reasons.end_date)
    left join contributions
        on
            stock.council_code = contributions.council_code
            and stock.person_id = contributions.person_id
            and stock.month_end_date >= contributions.start_date
            and (contributions.end_date is null or stock.month_end_date <= contributions.end_date)
)

select
    council_code,
    month_end_date,
    person_id,
    placement_id,
    is_short_stay,
    service_type_code,
    age_band,
    support_reason_code,
    weekly_cost_gbp,
    net_weekly_cost_gbp,
    case
        when service_type_code = any(array{{ var('k019_net_settings') }}::text[]) then net_weekly_cost_gbp
        else weekly_cost_gbp
    end::numeric(16, 2) as counted_weekly_cost_gbp
from costed
