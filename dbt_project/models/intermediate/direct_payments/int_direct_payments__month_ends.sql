-- Packages in force at month ends, with how they were used and held as known at the month end. Before the first
-- delivery nothing was known: there the first version known says it.

with packages as (
    select
        council_code,
        direct_payment_id,
        direct_payment_ref,
        person_id,
        birth_date,
        element_ref,
        start_date,
        end_date
    from {{ ref('int_direct_payments__packages') }}
),

versions as (
    select
        council_code,
        direct_payment_ref,
        known_from,
        employs_personal_assistant,
        is_on_prepaid_card
    from {{ ref('stg_mosaic__direct_payments_ever_known') }}
),

services as (
    select
        council_code,
        element_ref,
        split_number,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where service_type_code = 'direct_payment'
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

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
),

packages_at_month_ends as (
    select
        packages.*,
        month_ends.month_end_date,
        coalesce(packages.end_date >= month_ends.month_end_date, true) as is_in_force,
        date_trunc('month', packages.start_date::timestamp)
        = date_trunc('month', month_ends.month_end_date::timestamp) as is_new
    from packages
    inner join month_ends on packages.start_date <= month_ends.month_end_date
),

counted_packages as (
    select *
    from packages_at_month_ends
    where
        is_in_force
        or is_new
),

-- The newest version known by the month end, or else the first known of all.
flagged_packages as (
    select distinct on (
        counted_packages.council_code,
        counted_packages.direct_payment_ref,
        counted_packages.month_end_date
    )
        counted_packages.*,
        versions.employs_personal_assistant,
        versions.is_on_prepaid_card
    from counted_packages
    inner join versions
        on
            counted_packages.council_code = versions.council_code
            and counted_packages.direct_payment_ref = versions.direct_payment_ref
    order by
        counted_packages.council_code asc,
        counted_packages.direct_payment_ref asc,
        counted_packages.month_end_date asc,
        versions.known_from <= counted_packages.month_end_date desc,
        case
            when versions.known_from <= counted_packages.month_end_date
                then counted_packages.month_end_date - versions.known_from
            else versions.known_from - counted_packages.month_end_date
        end asc
),

costs as (
    select
        counted_packages.council_code,
        counted_packages.direct_payment_ref,
        counted_packages.month_end_date,
        case when count(*) = count(services.weekly_cost_gbp) then sum(services.weekly_cost_gbp) end
            as weekly_cost_gbp
    from counted_packages
    inner join services
        on
            counted_packages.council_code = services.council_code
            and counted_packages.element_ref = services.element_ref
            and counted_packages.month_end_date >= services.start_date
            and (services.end_date is null or counted_packages.month_end_date <= services.end_date)
    group by
        counted_packages.council_code,
        counted_packages.direct_payment_ref,
        counted_packages.month_end_date
)

select
    flagged_packages.council_code,
    flagged_packages.month_end_date,
    flagged_packages.direct_payment_id,
    flagged_packages.person_id,
    {{ age_band('flagged_packages.birth_date', 'flagged_packages.month_end_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    flagged_packages.is_in_force,
    flagged_packages.is_new,
    flagged_packages.employs_personal_assistant,
    flagged_packages.is_on_prepaid_card,
    costs.weekly_cost_gbp::numeric(16, 2) as weekly_cost_gbp
from flagged_packages
left join costs
    on
        flagged_packages.council_code = costs.council_code
        and flagged_packages.direct_payment_ref = costs.direct_payment_ref
        and flagged_packages.month_end_date = costs.month_end_date
left join support_reasons
    on
        flagged_packages.council_code = support_reasons.council_code
        and flagged_packages.person_id = support_reasons.person_id
        and flagged_packages.month_end_date >= support_reasons.start_date
        and (support_reasons.end_date is null or flagged_packages.month_end_date <= support_reasons.end_date)
