with amounts as (
    select *
    from {{ ref('int_ledger__by_subjective') }}
),

versions as (
    select distinct
        council_code,
        financial_year,
        version_name
    from {{ ref('int_ledger__budgets_in_force') }}
),

cost_centres as (
    select
        council_code,
        cost_centre_code,
        cost_centre_name,
        support_reason_code,
        funding_source_code
    from {{ ref('stg_ledger__cost_centres') }}
)

select
    {{ publication_id() }} as publication_id,
    amounts.council_code,
    amounts.financial_year,
    amounts.period_number,
    amounts.cost_centre_code,
    amounts.subjective_group_code,
    cost_centres.cost_centre_name,
    cost_centres.support_reason_code,
    cost_centres.funding_source_code,
    amounts.spend_gbp,
    amounts.income_gbp,
    amounts.net_gbp,
    amounts.budget_gbp,
    (amounts.net_gbp - amounts.budget_gbp)::numeric(18, 2) as variance_gbp,
    amounts.accrual_gbp,
    amounts.reversal_gbp,
    amounts.line_count,
    versions.version_name as budget_version_name,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'amounts.council_code', ['fct_ledger_lines'], period_end('amounts.financial_year', 'amounts.period_number')
    ) }} as data_status_code
from amounts
left join cost_centres
    on
        amounts.council_code = cost_centres.council_code
        and amounts.cost_centre_code = cost_centres.cost_centre_code
left join versions
    on
        amounts.council_code = versions.council_code
        and amounts.financial_year = versions.financial_year
