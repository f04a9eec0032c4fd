with accommodation_costs as (
    select
        council_code,
        report_date,
        accommodation_type,
        cost_year,
        scope,
        cost_basis,
        average_weekly_cost_gbp
    from {{ ref('stg_measures__accommodation_costs') }}
),

accommodation_types as (
    select
        council_code,
        accommodation_type,
        service_type_code
    from {{ ref('accommodation_types') }}
)

select
    {{ publication_id() }} as publication_id,
    accommodation_costs.council_code,
    accommodation_costs.report_date || '-' || accommodation_costs.cost_year || '-'
    || accommodation_costs.accommodation_type as accommodation_cost_id,
    accommodation_costs.report_date,
    accommodation_costs.cost_year,
    accommodation_costs.accommodation_type,
    accommodation_types.service_type_code,
    accommodation_costs.scope,
    accommodation_costs.cost_basis,
    accommodation_costs.average_weekly_cost_gbp
from accommodation_costs
left join accommodation_types
    on
        accommodation_costs.council_code = accommodation_types.council_code
        and accommodation_costs.accommodation_type = accommodation_types.accommodation_type
