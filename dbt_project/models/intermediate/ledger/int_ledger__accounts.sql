-- The group of each account in use: the longest matching prefix of the standard subjective analysis.

with accounts as (
    select
        council_code,
        subjective_code
    from {{ ref('stg_ledger__lines') }}

    union

    select
        council_code,
        subjective_code
    from {{ ref('stg_finance__budgets') }}
),

groups as (
    select
        council_code,
        subjective_prefix,
        subjective_group_code,
        is_income
    from {{ ref('subjective_groups') }}
)

select distinct on (accounts.council_code, accounts.subjective_code)
    accounts.council_code,
    accounts.subjective_code,
    coalesce(groups.subjective_group_code, 'unmapped') as subjective_group_code,
    coalesce(groups.is_income, false) as is_income
from accounts
left join groups
    on
        accounts.council_code = groups.council_code
        and left(accounts.subjective_code, length(groups.subjective_prefix)) = groups.subjective_prefix
order by
    accounts.council_code asc,
    accounts.subjective_code asc,
    length(groups.subjective_prefix) desc
