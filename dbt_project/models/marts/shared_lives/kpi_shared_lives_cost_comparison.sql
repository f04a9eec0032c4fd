-- Paste-ready: the cost comparison of the papers, with the yearly amounts as the papers cut them.

with comparisons as (
    select
        council_code,
        basis_code,
        report_date,
        cost_year,
        period_end_date,
        accommodation_type,
        service_type_code,
        average_weekly_cost_gbp,
        shared_lives_weekly_cost_gbp,
        weekly_difference_gbp,
        placement_count,
        yearly_difference_gbp,
        cost_avoided_gbp
    from {{ ref('int_shared_lives__cost_comparison') }}
),

coverage as (
    select
        council_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code = 'services'
),

settings as (
    select
        service_type_code,
        setting_label
    from {{ ref('setting_hierarchy') }}
)

select
    {{ publication_id() }} as publication_id,
    comparisons.council_code,
    comparisons.basis_code || '-' || coalesce(comparisons.report_date || '-' || comparisons.cost_year || '-', '')
    || comparisons.period_end_date || '-' || coalesce(comparisons.accommodation_type, comparisons.service_type_code)
        as cost_comparison_id,
    comparisons.basis_code,
    comparisons.report_date,
    comparisons.cost_year,
    comparisons.period_end_date,
    comparisons.service_type_code,
    coalesce(comparisons.accommodation_type, settings.setting_label) as accommodation_type,
    round(comparisons.average_weekly_cost_gbp, 2)::numeric(16, 2) as average_weekly_cost_gbp,
    round(comparisons.shared_lives_weekly_cost_gbp, 2)::numeric(16, 2) as shared_lives_weekly_cost_gbp,
    round(comparisons.weekly_difference_gbp, 2)::numeric(16, 2) as weekly_difference_gbp,
    comparisons.placement_count,
    {{ var('weeks_in_a_year') }}::numeric(6, 2) as weeks_in_a_year,
    round(comparisons.yearly_difference_gbp, 2)::numeric(16, 2) as yearly_difference_gbp,
    round(comparisons.cost_avoided_gbp, 2)::numeric(16, 2) as cost_avoided_gbp,
    trunc(comparisons.cost_avoided_gbp / 1000)::numeric(14, 0) as cost_avoided_gbp_k,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'comparisons.council_code', ['fct_placements'], 'comparisons.period_end_date',
        is_stated="comparisons.basis_code = 'stated'"
    ) }} as data_status_code
from comparisons
inner join settings on comparisons.service_type_code = settings.service_type_code
left join coverage on comparisons.council_code = coverage.council_code
where
    comparisons.basis_code = 'stated'
    or (
        comparisons.period_end_date between coverage.held_from_date and coverage.held_through_date
        and comparisons.period_end_date <= {{ held_through('comparisons.council_code', ['fct_placements']) }}
    )
