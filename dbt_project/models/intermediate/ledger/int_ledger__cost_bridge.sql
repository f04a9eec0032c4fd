-- From what packages were planned to cost to what the ledger holds, line by line. Each line is added up by itself from
-- its own rows, and the difference that is left is shown, never spread.

with payments as (
    select
        payments.council_code,
        payments.financial_year,
        payments.period_number,
        payments.payment_type_code,
        date_trunc('month', payments.period_start_date::timestamp)::date as service_month_date,
        coalesce(services.weekly_cost_gbp, 0) <> 0 as is_priced,
        payments.planned_gbp,
        payments.actual_gbp
    from {{ ref('stg_finance__provider_payments') }} as payments
    left join {{ ref('int_support__services') }} as services
        on
            payments.council_code = services.council_code
            and payments.element_ref = services.element_ref
            and payments.split_number = services.split_number
),

payment_sums as (
    select
        council_code,
        financial_year,
        period_number,
        payment_type_code,
        service_month_date,
        is_priced,
        sum(planned_gbp) as planned_gbp,
        sum(actual_gbp) as actual_gbp
    from payments
    group by
        council_code,
        financial_year,
        period_number,
        payment_type_code,
        service_month_date,
        is_priced
),

package_months as (
    select
        council_code,
        is_direct_payment,
        month_start_date,
        planned_gbp
    from {{ ref('int_ledger__package_months') }}
),

payment_journals as (
    select distinct
        council_code,
        journal_ref
    from {{ ref('stg_finance__provider_payments') }}
),

ledger_lines as (
    select
        posted_lines.council_code,
        posted_lines.financial_year,
        posted_lines.period_number,
        -- The journal that the payments name, whatever its type.
        case
            when
                grouped_accounts.subjective_group_code = 'transfer_payments'
                and journals.journal_type_code in ('payment_run', 'correction')
                then 'direct_payments'
            when payment_journals.journal_ref is not null then 'payment_run'
            else coalesce(journals.journal_type_code, 'none')
        end as journal_type_code,
        grouped_accounts.is_income,
        posted_lines.amount_gbp
    from {{ ref('stg_ledger__lines') }} as posted_lines
    inner join {{ ref('int_ledger__accounts') }} as grouped_accounts
        on
            posted_lines.council_code = grouped_accounts.council_code
            and posted_lines.subjective_code = grouped_accounts.subjective_code
    left join {{ ref('stg_ledger__journals') }} as journals
        on
            posted_lines.council_code = journals.council_code
            and posted_lines.journal_ref = journals.journal_ref
    left join payment_journals
        on
            posted_lines.council_code = payment_journals.council_code
            and posted_lines.journal_ref = payment_journals.journal_ref
),

ledger_sums as (
    select
        council_code,
        financial_year,
        period_number,
        journal_type_code,
        is_income,
        sum(amount_gbp) as amount_gbp
    from ledger_lines
    group by
        council_code,
        financial_year,
        period_number,
        journal_type_code,
        is_income
),

income_sums as (
    select
        council_code,
        financial_year,
        period_number,
        income_kind_code,
        sum(charged_gbp) as charged_gbp
    from {{ ref('stg_finance__income') }}
    group by
        council_code,
        financial_year,
        period_number,
        income_kind_code
),

periods as (
    select
        council_code,
        financial_year,
        period_number
    from payment_sums

    union

    select
        council_code,
        financial_year,
        period_number
    from ledger_sums

    union

    select
        council_code,
        financial_year,
        period_number
    from income_sums
),

-- Closing periods have no month of service.
periods_with_month as (
    select
        *,
        case
            when period_number <= 12
                then (
                    make_date(left(financial_year, 4)::integer, 4, 1) + (period_number - 1) * interval '1 month'
                )::date
        end as month_start_date
    from periods
),

amounts as (
    select
        periods_with_month.council_code,
        periods_with_month.financial_year,
        periods_with_month.period_number,
        'planned_packages' as line_code,
        package_months.planned_gbp as amount_gbp
    from periods_with_month
    inner join package_months
        on
            periods_with_month.council_code = package_months.council_code
            and periods_with_month.month_start_date = package_months.month_start_date

    union all

    -- What priced packages of the month were paid for in any period, less what they were planned to cost.
    select
        periods_with_month.council_code,
        periods_with_month.financial_year,
        periods_with_month.period_number,
        case when package_months.is_direct_payment then 'direct_payment_packages' else 'unmatched_packages' end
            as line_code,
        -package_months.planned_gbp as amount_gbp
    from periods_with_month
    inner join package_months
        on
            periods_with_month.council_code = package_months.council_code
            and periods_with_month.month_start_date = package_months.month_start_date

    union all

    select
        periods_with_month.council_code,
        periods_with_month.financial_year,
        periods_with_month.period_number,
        'unmatched_packages' as line_code,
        payment_sums.planned_gbp as amount_gbp
    from periods_with_month
    inner join payment_sums
        on
            periods_with_month.council_code = payment_sums.council_code
            and periods_with_month.month_start_date = payment_sums.service_month_date
    where payment_sums.is_priced

    union all

    select
        periods_with_month.council_code,
        periods_with_month.financial_year,
        periods_with_month.period_number,
        'booked_in_other_periods' as line_code,
        -payment_sums.planned_gbp as amount_gbp
    from periods_with_month
    inner join payment_sums
        on
            periods_with_month.council_code = payment_sums.council_code
            and periods_with_month.month_start_date = payment_sums.service_month_date
    where
        payment_sums.is_priced
        and (payment_sums.financial_year, payment_sums.period_number)
        <> (periods_with_month.financial_year, periods_with_month.period_number)

    union all

    select
        periods_with_month.council_code,
        periods_with_month.financial_year,
        periods_with_month.period_number,
        case
            when not payment_sums.is_priced then 'unpriced_packages'
            else 'for_other_months'
        end as line_code,
        payment_sums.planned_gbp as amount_gbp
    from periods_with_month
    inner join payment_sums
        on
            periods_with_month.council_code = payment_sums.council_code
            and periods_with_month.financial_year = payment_sums.financial_year
            and periods_with_month.period_number = payment_sums.period_number
    where
        not payment_sums.is_priced
        or payment_sums.service_month_date is distinct from periods_with_month.month_start_date

    union all

    select
        council_code,
        financial_year,
        period_number,
        'payments_planned' as line_code,
        planned_gbp as amount_gbp
    from payment_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        case payment_type_code
            when 'payment' then 'paid_above_plan'
            when 'refund' then 'refunds'
            else 'corrections'
        end as line_code,
        actual_gbp - planned_gbp as amount_gbp
    from payment_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        'payments_actual' as line_code,
        actual_gbp as amount_gbp
    from payment_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        'unmatched_payments' as line_code,
        -actual_gbp as amount_gbp
    from payment_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        case
            when journal_type_code = 'payment_run' then 'unmatched_payments'
            when journal_type_code = 'direct_payments' then 'direct_payments'
            when journal_type_code = 'manual' then 'other_journals'
            when journal_type_code = 'accrual' then 'accruals'
            when journal_type_code = 'reversal' then 'reversals'
            when journal_type_code = 'correction' then 'ledger_corrections'
            when journal_type_code = 'closing' then 'closing_entries'
            when journal_type_code = 'income' and is_income then 'unmatched_income'
            when journal_type_code = 'income' then 'income_passed_on'
            when journal_type_code = 'none' then 'lines_without_journal'
        end as line_code,
        amount_gbp
    from ledger_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        'ledger_net' as line_code,
        amount_gbp
    from ledger_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        case
            when income_kind_code = 'client_contribution' then 'client_contributions'
            when income_kind_code in ('continuing_health_care', 'funded_nursing_care') then 'health_funding'
            else 'other_income'
        end as line_code,
        -charged_gbp as amount_gbp
    from income_sums

    union all

    select
        council_code,
        financial_year,
        period_number,
        'unmatched_income' as line_code,
        charged_gbp as amount_gbp
    from income_sums
),

added_up as (
    select
        council_code,
        financial_year,
        period_number,
        line_code,
        sum(amount_gbp) as amount_gbp
    from amounts
    group by
        council_code,
        financial_year,
        period_number,
        line_code
),

bridge_lines as (
    select
        line_number,
        line_code,
        line_name,
        role_code
    from {{ ref('cost_bridge_lines') }}
),

bridge as (
    select
        periods.council_code,
        periods.financial_year,
        periods.period_number,
        bridge_lines.line_number,
        bridge_lines.line_code,
        bridge_lines.line_name,
        bridge_lines.role_code,
        case when bridge_lines.role_code <> 'no_source' then coalesce(added_up.amount_gbp, 0) end as amount_gbp
    from periods
    cross join bridge_lines
    left join added_up
        on
            periods.council_code = added_up.council_code
            and periods.financial_year = added_up.financial_year
            and periods.period_number = added_up.period_number
            and bridge_lines.line_code = added_up.line_code
    where bridge_lines.role_code <> 'residual'
),

residuals as (
    select
        council_code,
        financial_year,
        period_number,
        sum(
            case
                when line_code = 'ledger_net' then amount_gbp
                when role_code in ('start', 'line') then -amount_gbp
            end
        ) as amount_gbp
    from bridge
    group by
        council_code,
        financial_year,
        period_number
)

select
    council_code,
    financial_year,
    period_number,
    line_number,
    line_code,
    line_name,
    role_code,
    amount_gbp::numeric(18, 2) as amount_gbp
from bridge

union all

select
    residuals.council_code,
    residuals.financial_year,
    residuals.period_number,
    bridge_lines.line_number,
    bridge_lines.line_code,
    bridge_lines.line_name,
    bridge_lines.role_code,
    residuals.amount_gbp::numeric(18, 2) as amount_gbp
from residuals
cross join bridge_lines
where bridge_lines.role_code = 'residual'
