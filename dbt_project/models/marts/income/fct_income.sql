with income as (
    select *
    from {{ ref('stg_finance__income') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
)

select
    {{ publication_id() }} as publication_id,
    income.council_code,
    income.income_ref as income_id,
    income.income_kind_code,
    identities.person_id,
    income.element_ref,
    income.account_ref,
    income.period_start_date,
    income.period_end_date,
    income.charged_gbp,
    income.received_gbp,
    (income.charged_gbp - coalesce(income.received_gbp, 0))::numeric(16, 2) as due_gbp,
    income.charged_date,
    income.financial_year,
    income.period_number,
    income.cost_centre_code,
    income.subjective_code,
    income.journal_ref
from income
left join identities
    on
        income.council_code = identities.council_code
        and income.person_ref = identities.person_ref
