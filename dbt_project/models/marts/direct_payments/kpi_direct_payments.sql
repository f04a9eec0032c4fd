-- Paste-ready: a row for each month of which packages or recoupments are held.

with coverage as (
    select
        council_code,
        min(held_from_date) filter (where dataset_code = 'direct_payments') as packages_from_date,
        max(held_through_date) filter (where dataset_code = 'direct_payments') as packages_through_date,
        min(held_from_date) filter (where dataset_code = 'direct_payment_recoupments') as recoupments_from_date,
        max(held_through_date) filter (where dataset_code = 'direct_payment_recoupments') as recoupments_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code in ('direct_payments', 'direct_payment_recoupments')
    group by council_code
),

months as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.year_start_date,
        month_ends.financial_year,
        month_ends.period_number,
        coalesce(
            month_ends.month_end_date between coverage.packages_from_date and coverage.packages_through_date, false
        ) as has_packages,
        coalesce(
            month_ends.month_end_date between coverage.recoupments_from_date and coverage.recoupments_through_date,
            false
        ) as has_recoupments,
        coalesce(
            coverage.recoupments_from_date <= month_ends.year_start_date
            and month_ends.month_end_date <= coverage.recoupments_through_date,
            false
        ) as has_recoupments_to_date
    from coverage
    inner join {{ ref('int_calendar__month_ends') }} as month_ends
        on
            month_ends.month_end_date between coverage.packages_from_date and coverage.packages_through_date
            or month_ends.month_end_date between coverage.recoupments_from_date and coverage.recoupments_through_date
),

packages as (
    select
        council_code,
        month_end_date,
        count(*) filter (where is_in_force)::integer as package_count,
        count(*) filter (where is_in_force and employs_personal_assistant)::integer as personal_assistant_package_count,
        count(*) filter (where is_in_force and is_on_prepaid_card)::integer as prepaid_card_package_count,
        count(*) filter (where is_new)::integer as new_package_count,
        count(*) filter (where is_new and employs_personal_assistant)::integer
            as new_personal_assistant_package_count,
        count(*) filter (where is_in_force and weekly_cost_gbp is null)::integer as unpriced_package_count,
        sum(weekly_cost_gbp) filter (where is_in_force) as weekly_cost_gbp
    from {{ ref('int_direct_payments__month_ends') }}
    group by
        council_code,
        month_end_date
),

balances as (
    select
        council_code,
        balance_date as month_end_date,
        count(*)::integer as account_count,
        sum(balance_gbp) as balance_gbp,
        sum(contingency_gbp) as contingency_gbp,
        sum(greatest(balance_gbp - contingency_gbp, 0)) as recoupable_gbp
    from {{ ref('stg_registers__direct_payment_balances') }}
    group by
        council_code,
        balance_date
),

recoupments as (
    select
        months.council_code,
        months.month_end_date,
        sum(listed.recouped_gbp) filter (
            where listed.recouped_date >= date_trunc('month', months.month_end_date::timestamp)
        ) as recouped_in_month_gbp,
        sum(listed.recouped_gbp) as recouped_to_date_gbp
    from months
    inner join {{ ref('int_direct_payments__recoupments') }} as listed
        on
            months.council_code = listed.council_code
            and listed.recouped_date between months.year_start_date and months.month_end_date
    group by
        months.council_code,
        months.month_end_date
)

select
    {{ publication_id() }} as publication_id,
    months.council_code,
    months.month_end_date as period_end_date,
    months.financial_year,
    months.period_number,
    case when months.has_packages then coalesce(packages.package_count, 0) end as package_count,
    case when months.has_packages then coalesce(packages.personal_assistant_package_count, 0) end
        as personal_assistant_package_count,
    case
        when months.has_packages
            then round(100.0 * packages.personal_assistant_package_count / nullif(packages.package_count, 0), 2)
    end::numeric(5, 2) as personal_assistant_percent,
    case when months.has_packages then coalesce(packages.new_package_count, 0) end as new_package_count,
    case when months.has_packages then coalesce(packages.new_personal_assistant_package_count, 0) end
        as new_personal_assistant_package_count,
    case
        when months.has_packages
            then round(100.0 * packages.new_personal_assistant_package_count / nullif(packages.new_package_count, 0), 2)
    end::numeric(5, 2) as new_personal_assistant_percent,
    case when months.has_packages then coalesce(packages.prepaid_card_package_count, 0) end
        as prepaid_card_package_count,
    case
        when months.has_packages
            then round(100.0 * packages.prepaid_card_package_count / nullif(packages.package_count, 0), 2)
    end::numeric(5, 2) as prepaid_card_percent,
    case when months.has_packages then coalesce(packages.weekly_cost_gbp, 0) end::numeric(16, 2) as weekly_cost_gbp,
    case when months.has_packages then coalesce(packages.unpriced_package_count, 0) end as unpriced_package_count,
    balances.account_count,
    balances.balance_gbp::numeric(16, 2) as balance_gbp,
    balances.contingency_gbp::numeric(16, 2) as contingency_gbp,
    balances.recoupable_gbp::numeric(16, 2) as recoupable_gbp,
    case when months.has_recoupments then coalesce(recoupments.recouped_in_month_gbp, 0) end::numeric(16, 2)
        as recouped_in_month_gbp,
    case when months.has_recoupments_to_date then coalesce(recoupments.recouped_to_date_gbp, 0) end::numeric(16, 2)
        as recouped_to_date_gbp,
    {{ as_at() }} as as_at_date,
    {{ data_status_code('months.council_code', ['fct_direct_payments'], 'months.month_end_date') }} as data_status_code
from months
left join packages
    on
        months.council_code = packages.council_code
        and months.month_end_date = packages.month_end_date
left join balances
    on
        months.council_code = balances.council_code
        and months.month_end_date = balances.month_end_date
left join recoupments
    on
        months.council_code = recoupments.council_code
        and months.month_end_date = recoupments.month_end_date
