-- Ledger lines added up by account. Expenditure and income are told apart by the account, not by the sign: a credit on
-- an expenditure account is a correction or a reversed accrual, not income.

with lines as (
    select
        council_code,
        financial_year,
        period_number,
        subjective_code,
        amount_gbp
    from {{ ref('stg_ledger__lines') }}
),

groups as (
    select
        council_code,
        subjective_prefix,
        subjective_group_code,
        is_income
    from {{ ref('subjective_groups') }}
),

account_totals as (
    select
        council_code,
        financial_year,
        period_number,
        subjective_code,
        sum(amount_gbp)::numeric(18, 2) as amount_gbp,
        count(*) as line_count
    from lines
    group by
        council_code,
        financial_year,
        period_number,
        subjective_code
)

select distinct on (
    account_totals.council_code,
    account_totals.financial_year,
    account_totals.period_number,
    account_totals.subjective_code
)
    account_totals.council_code,
    account_totals.financial_year,
    account_totals.period_number,
    account_totals.subjective_code,
    groups.subjective_group_code,
    coalesce(groups.is_income, false) as is_income,
    account_totals.amount_gbp,
    account_totals.line_count
from account_totals
left join groups
    on
        account_totals.council_code = groups.council_code
        and left(account_totals.subjective_code, length(groups.subjective_prefix)) = groups.subjective_prefix
order by
    account_totals.council_code,
    account_totals.financial_year,
    account_totals.period_number,
    account_totals.subjective_code,
    length(groups.subjective_prefix) desc
