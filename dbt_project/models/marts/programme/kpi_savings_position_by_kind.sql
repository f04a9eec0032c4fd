with positions as (
    select *
    from {{ ref('int_programme__positions') }}
),

projects as (
    select
        council_code,
        project_ref,
        project_name,
        programme_ref,
        programme_name
    from {{ ref('dim_project') }}
)

select
    {{ publication_id() }} as publication_id,
    positions.council_code,
    positions.report_date,
    positions.project_ref,
    projects.project_name,
    projects.programme_ref,
    projects.programme_name,
    positions.financial_year,
    positions.savings_kind_code,
    positions.target_version_number,
    {%- for amount in [
        'target_in_force', 'target_stated', 'target', 'forecast', 'achieved_to_date', 'achieved_in_year',
        'achieved_full_year', 'at_risk_stated', 'at_risk_derived', 'at_risk', 'alternative_delivery', 'net_at_risk',
        'recovered_slippage', 'new_money', 'slippage', 'not_recovered'
    ] %}
        positions.{{ amount }}_gbp,
    {%- endfor %}
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'positions.council_code', ['fct_project_figures'], 'positions.report_date',
        is_stated='true',
        is_latest='positions.report_date = max(positions.report_date) over (partition by positions.council_code)'
    ) }} as data_status_code
from positions
left join projects
    on
        positions.council_code = projects.council_code
        and positions.project_ref = projects.project_ref
