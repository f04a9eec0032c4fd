with figures as (
    select
        council_code,
        report_date,
        programme_ref,
        figure_code,
        financial_year,
        year_position,
        amount_gbp,
        is_sum_of_programmes
    from {{ ref('int_programme__figures') }}
    where financial_year is not null
),

programmes as (
    select
        council_code,
        programme_ref,
        programme_name,
        level_code,
        parent_programme_ref,
        report_order
    from {{ ref('stg_programme__programmes') }}
)

select
    {{ publication_id() }} as publication_id,
    figures.council_code,
    figures.report_date,
    programmes.report_order,
    figures.programme_ref,
    programmes.programme_name,
    programmes.level_code,
    programmes.parent_programme_ref,
    figures.figure_code,
    figures.financial_year,
    figures.year_position,
    figures.amount_gbp,
    figures.is_sum_of_programmes,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'figures.council_code', ['fct_savings_targets'], 'figures.report_date',
        is_stated='true',
        is_latest='figures.report_date = max(figures.report_date) over (partition by figures.council_code)'
    ) }} as data_status_code
from figures
inner join programmes
    on
        figures.council_code = programmes.council_code
        and figures.programme_ref = programmes.programme_ref
