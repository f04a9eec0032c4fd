with ledger_lines as (
    select
        council_code,
        journal_ref,
        financial_year,
        period_number,
        cost_centre_code,
        subjective_code,
        amount_gbp
    from {{ ref('stg_ledger__lines') }}
),

journals as (
    select
        council_code,
        journal_ref,
        journal_type_code
    from {{ ref('stg_ledger__journals') }}
),

accounts as (
    select
        council_code,
        subjective_code,
        subjective_group_code,
        is_income
    from {{ ref('int_ledger__accounts') }}
),

budgets as (
    select
        council_code,
        cost_centre_code,
        subjective_code,
        financial_year,
        period_number,
        budget_gbp
    from {{ ref('int_ledger__budgets_in_force') }}
),

-- Accruals by themselves, since what is accrued in one year is taken back in the next and only both together are right.
amounts as (
    select
        ledger_lines.council_code,
        ledger_lines.financial_year,
        ledger_lines.period_number,
        ledger_lines.cost_centre_code,
        ledger_lines.subjective_code,
        ledger_lines.amount_gbp as actual_gbp,
        case when journals.journal_type_code = 'accrual' then ledger_lines.amount_gbp else 0 end as accrual_gbp,
        case when journals.journal_type_code = 'reversal' then ledger_lines.amount_gbp else 0 end as reversal_gbp,
        null::numeric as budget_gbp,
        1 as line_count
    from ledger_lines
    left join journals
        on
            ledger_lines.council_code = journals.council_code
            and ledger_lines.journal_ref = journals.journal_ref

    union all

    select
        council_code,
        financial_year,
        period_number,
        cost_centre_code,
        subjective_code,
        0 as actual_gbp,
        0 as accrual_gbp,
        0 as reversal_gbp,
        budget_gbp,
        0 as line_count
    from budgets
)

select
    amounts.council_code,
    amounts.financial_year,
    amounts.period_number,
    amounts.cost_centre_code,
    accounts.subjective_group_code,
    coalesce(sum(amounts.actual_gbp) filter (where not accounts.is_income), 0)::numeric(18, 2) as spend_gbp,
    (-coalesce(sum(amounts.actual_gbp) filter (where accounts.is_income), 0))::numeric(18, 2) as income_gbp,
    sum(amounts.actual_gbp)::numeric(18, 2) as net_gbp,
    sum(amounts.budget_gbp)::numeric(18, 2) as budget_gbp,
    sum(amounts.accrual_gbp)::numeric(18, 2) as accrual_gbp,
    sum(amounts.reversal_gbp)::numeric(18, 2) as reversal_gbp,
    sum(amounts.line_count)::bigint as line_count
from amounts
inner join accounts
    on
        amounts.council_code = accounts.council_code
        and amounts.subjective_code = accounts.subjective_code
group by
    amounts.council_code,
    amounts.financial_year,
    amounts.period_number,
    amounts.cost_centre_code,
    accounts.subjective_group_code
