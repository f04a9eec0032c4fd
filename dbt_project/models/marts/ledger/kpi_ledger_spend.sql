with period_totals as (
    select
        council_code,
        financial_year,
        period_number,
        coalesce(sum(amount_gbp) filter (where not is_income), 0) as spend_gbp,
        -coalesce(sum(amount_gbp) filter (where is_income), 0) as income_gbp,
        sum(amount_gbp) as net_gbp,
        sum(line_count) as line_count
    from {{ ref('int_ledger__period_totals') }}
    group by
        council_code,
        financial_year,
        period_number
),

freshness as (
    select
        council_code,
        newest_extract_date,
        is_stale
    from {{ ref('int_freshness__facts') }}
    where fact_name = 'fct_ledger_lines'
)

select
    {{ publication_id() }} as publication_id,
    period_totals.council_code,
    period_totals.financial_year,
    period_totals.period_number,
    period_totals.spend_gbp::numeric(18, 2) as spend_gbp,
    period_totals.income_gbp::numeric(18, 2) as income_gbp,
    period_totals.net_gbp::numeric(18, 2) as net_gbp,
    period_totals.line_count::bigint as line_count,
    freshness.newest_extract_date,
    coalesce(freshness.is_stale, true) as is_source_stale,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'period_totals.council_code', ['fct_ledger_lines'], period_end('period_totals.financial_year', 'period_totals.period_number')
    ) }} as data_status_code
from period_totals
left join freshness on period_totals.council_code = freshness.council_code
