-- The budget version in force of each year: the highest that was approved by the as-at date. Versions are never added.

with budgets as (
    select
        council_code,
        cost_centre_code,
        subjective_code,
        financial_year,
        period_number,
        version_number,
        version_name,
        approved_date,
        budget_gbp
    from {{ ref('stg_finance__budgets') }}
    where approved_date <= {{ as_at() }}
),

newest_versions as (
    select
        council_code,
        financial_year,
        max(version_number) as version_number
    from budgets
    group by
        council_code,
        financial_year
)

select
    budgets.council_code,
    budgets.cost_centre_code,
    budgets.subjective_code,
    budgets.financial_year,
    budgets.period_number,
    budgets.version_number,
    budgets.version_name,
    budgets.budget_gbp
from budgets
inner join newest_versions
    on
        budgets.council_code = newest_versions.council_code
        and budgets.financial_year = newest_versions.financial_year
        and budgets.version_number = newest_versions.version_number
