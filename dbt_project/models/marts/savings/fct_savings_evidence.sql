with evidence as (
    select *
    from {{ ref('int_savings__evidence') }}
),

claims_of_evidence as (
    select
        council_code,
        evidence_type_code,
        evidence_id,
        count(*)::integer as claim_count
    from {{ ref('int_savings__claims') }}
    where evidence_id is not null
    group by
        council_code,
        evidence_type_code,
        evidence_id
)

select
    {{ publication_id() }} as publication_id,
    evidence.council_code,
    evidence.evidence_type_code || '-' || evidence.evidence_id as savings_evidence_id,
    evidence.evidence_type_code,
    evidence.evidence_id,
    evidence.element_ref,
    evidence.split_number,
    evidence.installation_ref,
    evidence.person_id,
    evidence.project_ref,
    evidence.effective_date,
    evidence.financial_year,
    evidence.weekly_before_gbp,
    evidence.weekly_after_gbp,
    evidence.weekly_effect_gbp,
    evidence.in_year_gbp,
    evidence.full_year_gbp,
    (evidence.full_year_gbp - evidence.in_year_gbp)::numeric(16, 2) as carry_over_gbp,
    coalesce(claims_of_evidence.claim_count, 0) as claim_count
from evidence
left join claims_of_evidence
    on
        evidence.council_code = claims_of_evidence.council_code
        and evidence.evidence_type_code = claims_of_evidence.evidence_type_code
        and evidence.evidence_id = claims_of_evidence.evidence_id
