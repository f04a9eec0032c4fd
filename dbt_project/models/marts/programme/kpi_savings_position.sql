-- One column a kind of saving: kinds are never added (R14), and a column that is not there cannot be.
{%- set kinds = ['cashable', 'cost_avoidance', 'income', 'not_stated'] %}
{%- set amounts = ['forecast', 'achieved_to_date', 'at_risk', 'alternative_delivery', 'net_at_risk'] %}

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
),

positions_by_year as (
    select
        {%- for kind in kinds %}
            max(target_gbp) filter (where savings_kind_code = '{{ kind }}') as {{ kind }}_target_gbp,
            {%- for amount in amounts %}
                max({{ amount }}_gbp) filter (where savings_kind_code = '{{ kind }}') as {{ kind }}_{{ amount }}_gbp,
            {%- endfor %}
        {%- endfor %}
        council_code,
        report_date,
        project_ref,
        financial_year,
        max(target_in_force_gbp) as target_in_force_gbp
    from positions
    group by
        council_code,
        report_date,
        project_ref,
        financial_year
)

select
    {{ publication_id() }} as publication_id,
    positions_by_year.council_code,
    positions_by_year.report_date,
    positions_by_year.project_ref,
    projects.project_name,
    projects.programme_ref,
    projects.programme_name,
    positions_by_year.financial_year,
    positions_by_year.target_in_force_gbp::numeric(16, 2) as target_in_force_gbp,
    {%- for kind in kinds %}
        positions_by_year.{{ kind }}_target_gbp::numeric(16, 2) as {{ kind }}_target_gbp,
        {%- for amount in amounts %}
            positions_by_year.{{ kind }}_{{ amount }}_gbp::numeric(16, 2) as {{ kind }}_{{ amount }}_gbp,
        {%- endfor %}
    {%- endfor %}
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'positions_by_year.council_code', ['fct_project_figures'], 'positions_by_year.report_date',
        is_stated='true',
        is_latest='positions_by_year.report_date = max(positions_by_year.report_date) over (partition by positions_by_year.council_code)'
    ) }} as data_status_code
from positions_by_year
left join projects
    on
        positions_by_year.council_code = projects.council_code
        and positions_by_year.project_ref = projects.project_ref
