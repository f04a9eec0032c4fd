with ledger_lines as (
    select *
    from {{ ref('stg_ledger__lines') }}
),

journals as (
    select
        council_code,
        journal_ref,
        journal_type_code,
        reverses_journal_ref
    from {{ ref('stg_ledger__journals') }}
),

reversed_journals as (
    select distinct
        council_code,
        reverses_journal_ref as journal_ref
    from journals
    where reverses_journal_ref is not null
)

select
    {{ publication_id() }} as publication_id,
    ledger_lines.council_code,
    ledger_lines.journal_ref,
    ledger_lines.line_number,
    ledger_lines.posting_date,
    ledger_lines.financial_year,
    ledger_lines.period_number,
    ledger_lines.cost_centre_code,
    ledger_lines.subjective_code,
    ledger_lines.amount_gbp,
    ledger_lines.source_system_code,
    ledger_lines.journal_ref || '-' || ledger_lines.line_number as ledger_line_id,
    journals.journal_type_code,
    journals.reverses_journal_ref,
    reversed_journals.journal_ref is not null as is_reversed
from ledger_lines
left join journals
    on
        ledger_lines.council_code = journals.council_code
        and ledger_lines.journal_ref = journals.journal_ref
left join reversed_journals
    on
        ledger_lines.council_code = reversed_journals.council_code
        and ledger_lines.journal_ref = reversed_journals.journal_ref
