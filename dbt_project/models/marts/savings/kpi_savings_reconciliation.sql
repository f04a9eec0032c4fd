with reconciliation as (
    select *
    from {{ ref('int_savings__reconciliation') }}
),

targets as (
    select
        council_code,
        project_ref,
        financial_year,
        target_gbp
    from {{ ref('int_programme__targets_in_force') }}
    where
        valid_from <= {{ as_at() }}
        and (valid_to is null or valid_to > {{ as_at() }})
),

projects as (
    select
        council_code,
        project_ref,
        project_name
    from {{ ref('stg_programme__projects') }}
)

select
    {{ publication_id() }} as publication_id,
    reconciliation.council_code,
    reconciliation.project_ref,
    reconciliation.financial_year,
    reconciliation.savings_kind_code,
    projects.project_name,
    {{ as_at() }} as as_at_date,
    targets.target_gbp::numeric(18, 2) as project_target_gbp,
    reconciliation.recorded_in_year_gbp as evidence_in_year_gbp,
    reconciliation.not_claimed_gbp as evidence_not_claimed_gbp,
    reconciliation.not_recorded_gbp as claim_without_evidence_gbp,
    reconciliation.claimed_above_records_gbp as claimed_above_evidence_gbp,
    reconciliation.counted_in_year_gbp,
    reconciliation.double_claimed_gbp,
    reconciliation.rejected_gbp,
    reconciliation.claimed_in_year_gbp,
    (-reconciliation.not_validated_gbp)::numeric(18, 2) as waiting_for_validation_gbp,
    reconciliation.validated_in_year_gbp,
    reconciliation.finance_claimed_gbp,
    reconciliation.finance_validated_gbp,
    (reconciliation.finance_validated_gbp - reconciliation.validated_in_year_gbp)::numeric(18, 2)
        as finance_unexplained_gbp,
    reconciliation.stated_forecast_gbp,
    reconciliation.forecast_as_of_date,
    reconciliation.stated_achieved_gbp,
    reconciliation.achieved_as_of_date,
    (reconciliation.stated_achieved_gbp - reconciliation.claimed_in_year_gbp)::numeric(18, 2)
        as stated_unexplained_gbp,
    reconciliation.stated_cost_gbp as stated_delivery_cost_gbp,
    reconciliation.paid_effect_gbp as paid_effect_to_date_gbp,
    reconciliation.income_charged_gbp,
    reconciliation.income_received_gbp,
    reconciliation.recorded_full_year_gbp as evidence_full_year_gbp,
    reconciliation.claimed_full_year_gbp,
    reconciliation.counted_full_year_gbp,
    (reconciliation.counted_full_year_gbp - reconciliation.counted_in_year_gbp)::numeric(18, 2)
        as counted_carry_over_gbp,
    reconciliation.validated_full_year_gbp,
    reconciliation.claim_count::integer as claim_count,
    reconciliation.claim_without_evidence_count::integer as claim_without_evidence_count,
    reconciliation.unclaimed_evidence_count::integer as unclaimed_evidence_count,
    reconciliation.double_claim_count::integer as double_claim_count,
    {{ data_status_code(
        'reconciliation.council_code', ['fct_savings'], period_end('reconciliation.financial_year')
    ) }} as data_status_code
from reconciliation
left join targets
    on
        reconciliation.council_code = targets.council_code
        and reconciliation.project_ref = targets.project_ref
        and reconciliation.financial_year = targets.financial_year
left join projects
    on
        reconciliation.council_code = projects.council_code
        and reconciliation.project_ref = projects.project_ref
