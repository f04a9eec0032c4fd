with claims as (
    select *
    from {{ ref('int_savings__claims') }}
),

evidence as (
    select
        council_code,
        evidence_type_code,
        evidence_id,
        effective_date,
        weekly_before_gbp,
        weekly_after_gbp,
        weekly_effect_gbp,
        in_year_gbp,
        full_year_gbp
    from {{ ref('int_savings__evidence') }}
)

select
    {{ publication_id() }} as publication_id,
    claims.council_code,
    claims.claim_ref as saving_id,
    claims.project_ref,
    claims.evidence_code,
    evidence.evidence_id is not null as has_evidence,
    evidence.evidence_id,
    claims.element_ref,
    claims.split_number,
    claims.installation_ref,
    claims.person_id,
    claims.age_band,
    claims.support_reason_code,
    claims.effective_date,
    claims.financial_year,
    {{ financial_period('claims.effective_date') }} as period_number,
    claims.claimed_date,
    claims.savings_kind_code,
    case when claims.full_year_gbp = 0 and claims.in_year_gbp <> 0 then 'temporary' else 'recurrent' end
        as recurrence_code,
    evidence.effective_date as recorded_effective_date,
    evidence.weekly_before_gbp as recorded_weekly_before_gbp,
    evidence.weekly_after_gbp as recorded_weekly_after_gbp,
    evidence.weekly_effect_gbp as recorded_weekly_effect_gbp,
    evidence.in_year_gbp as recorded_in_year_gbp,
    evidence.full_year_gbp as recorded_full_year_gbp,
    (evidence.full_year_gbp - evidence.in_year_gbp)::numeric(16, 2) as recorded_carry_over_gbp,
    claims.weekly_before_gbp as claimed_weekly_before_gbp,
    claims.weekly_after_gbp as claimed_weekly_after_gbp,
    claims.in_year_gbp as claimed_in_year_gbp,
    claims.full_year_gbp as claimed_full_year_gbp,
    (claims.full_year_gbp - claims.in_year_gbp)::numeric(16, 2) as claimed_carry_over_gbp,
    (claims.in_year_gbp - evidence.in_year_gbp)::numeric(16, 2) as in_year_difference_gbp,
    (claims.full_year_gbp - evidence.full_year_gbp)::numeric(16, 2) as full_year_difference_gbp,
    case when claims.savings_kind_code = 'cashable' then claims.in_year_gbp end as cashable_in_year_gbp,
    case when claims.savings_kind_code = 'cashable' then claims.full_year_gbp end as cashable_full_year_gbp,
    case when claims.savings_kind_code = 'cost_avoidance' then claims.in_year_gbp end as cost_avoidance_in_year_gbp,
    case when claims.savings_kind_code = 'cost_avoidance' then claims.full_year_gbp end
        as cost_avoidance_full_year_gbp,
    case when claims.savings_kind_code = 'income' then claims.in_year_gbp end as income_in_year_gbp,
    case when claims.savings_kind_code = 'income' then claims.full_year_gbp end as income_full_year_gbp,
    case when claims.savings_kind_code = 'cost' then claims.in_year_gbp end as delivery_cost_in_year_gbp,
    case when claims.savings_kind_code = 'cost' then claims.full_year_gbp end as delivery_cost_full_year_gbp,
    claims.validation_code,
    claims.validated_date,
    claims.validated_period_start_date,
    claims.validated_period_end_date,
    claims.is_validated,
    claims.is_rejected,
    claims.is_double_claimed,
    claims.repeats_claim_ref as repeats_saving_id,
    claims.is_counted,
    claims.is_reallocated
from claims
left join evidence
    on
        claims.council_code = evidence.council_code
        and claims.evidence_type_code = evidence.evidence_type_code
        and claims.evidence_id = evidence.evidence_id
