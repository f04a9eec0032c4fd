with changes as (
    select
        council_code,
        report_date,
        request_ref,
        case when change_type_code = 'extension' then 'extensions' else 'change_requests' end as row_code,
        decision_code,
        financial_year,
        reported_financial_year,
        change_gbp
    from {{ ref('int_programme__change_request_years') }}
    where report_date is not null
),

stated_totals as (
    select
        totals.council_code,
        totals.report_date,
        reported_rows.row_code,
        totals.period as financial_year,
        max(totals.amount_gbp) as stated_gbp
    from {{ ref('stg_programme__reported_totals') }} as totals
    inner join {{ ref('reported_rows') }} as reported_rows
        on
            totals.council_code = reported_rows.council_code
            and totals.row_name = reported_rows.row_name
    group by
        totals.council_code,
        totals.report_date,
        reported_rows.row_code,
        totals.period
),

-- Every row of the printed table and its total, for each year and for all of them.
changes_by_row as (
    select
        changes.council_code,
        changes.report_date,
        table_rows.row_code,
        table_years.financial_year,
        count(distinct changes.request_ref) as request_count,
        sum(changes.change_gbp) as change_gbp,
        sum(changes.change_gbp) filter (where changes.decision_code = 'approved') as approved_gbp,
        sum(changes.change_gbp) filter (where changes.decision_code = 'requested') as undecided_gbp,
        sum(changes.change_gbp) filter (where changes.decision_code in ('rejected', 'deferred')) as not_approved_gbp,
        sum(changes.change_gbp) filter (
            where changes.financial_year < changes.reported_financial_year
        ) as earlier_years_gbp,
        bool_or(changes.decision_code <> 'approved') as has_undecided
    from changes
    cross join lateral (values (changes.row_code), ('total')) as table_rows (row_code)
    cross join lateral (values (changes.reported_financial_year), ('all')) as table_years (financial_year)
    group by
        changes.council_code,
        changes.report_date,
        table_rows.row_code,
        table_years.financial_year
)

select
    {{ publication_id() }} as publication_id,
    changes_by_row.council_code,
    changes_by_row.report_date,
    changes_by_row.row_code,
    case changes_by_row.row_code
        when 'change_requests' then 1
        when 'extensions' then 2
        else 3
    end as report_order,
    changes_by_row.financial_year,
    changes_by_row.request_count::integer as request_count,
    changes_by_row.change_gbp,
    case when changes_by_row.has_undecided then 'requested' else 'approved' end as basis_code,
    coalesce(changes_by_row.approved_gbp, 0)::numeric(16, 2) as approved_gbp,
    coalesce(changes_by_row.undecided_gbp, 0)::numeric(16, 2) as undecided_gbp,
    coalesce(changes_by_row.not_approved_gbp, 0)::numeric(16, 2) as not_approved_gbp,
    coalesce(changes_by_row.earlier_years_gbp, 0)::numeric(16, 2) as earlier_years_gbp,
    stated_totals.stated_gbp,
    changes_by_row.change_gbp - stated_totals.stated_gbp as difference_gbp,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'changes_by_row.council_code', ['fct_change_request_years'], 'changes_by_row.report_date',
        is_stated='true',
        is_latest='changes_by_row.report_date = max(changes_by_row.report_date) over (partition by changes_by_row.council_code)'
    ) }} as data_status_code
from changes_by_row
left join stated_totals
    on
        changes_by_row.council_code = stated_totals.council_code
        and changes_by_row.report_date = stated_totals.report_date
        and changes_by_row.row_code = stated_totals.row_code
        and changes_by_row.financial_year = stated_totals.financial_year
