-- Claims as they stand on the as-at date, each with its person, whether finance lets it count, and whether it claims
-- something that was claimed before it. The head of measures/savings.yml has the rules in words.

with claims as (
    select
        *,
        {{ financial_year('effective_date') }} as effective_financial_year,
        case
            when element_ref is not null then element_ref || '-' || coalesce(split_number::text, '')
            else installation_ref
        end as claimed_event
    from {{ ref('stg_programme__savings_claims') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

support_reasons as (
    select
        council_code,
        person_id,
        support_reason_code,
        start_date,
        end_date
    from {{ ref('int_persons__support_reasons') }}
),

-- A decision dated after the as-at date is none yet.
validated_periods as (
    select
        council_code,
        project_ref,
        savings_kind_code,
        period_start_date,
        period_end_date
    from {{ ref('stg_programme__finance_validations') }}
    where
        validation_code = 'validated'
        and coalesce(validated_date, '-infinity') <= {{ as_at() }}
),

allocations as (
    select
        council_code,
        claim_ref,
        max(allocation_number) as allocation_count
    from {{ ref('int_savings__allocations') }}
    group by
        council_code,
        claim_ref
),

claims_with_decision as (
    select
        *,
        case when validated_date > {{ as_at() }} then 'waiting' else validation_code end as validation_code_now
    from claims
),

-- A rejected claim is out of the running, so it neither repeats nor is repeated.
claims_with_first as (
    select
        *,
        case
            when claimed_event is not null and validation_code_now <> 'rejected'
                then first_value(claim_ref) over (
                    partition by
                        council_code,
                        element_ref is not null,
                        claimed_event,
                        validation_code_now = 'rejected'
                    order by claimed_date, claim_ref
                )
        end as first_claim_ref
    from claims_with_decision
),

claims_with_period as (
    select distinct on (claims_with_first.council_code, claims_with_first.claim_ref)
        claims_with_first.*,
        validated_periods.period_start_date as validated_period_start_date,
        validated_periods.period_end_date as validated_period_end_date
    from claims_with_first
    left join validated_periods
        on
            claims_with_first.council_code = validated_periods.council_code
            and claims_with_first.project_ref = validated_periods.project_ref
            and claims_with_first.savings_kind_code = validated_periods.savings_kind_code
            and claims_with_first.effective_date
            between validated_periods.period_start_date and validated_periods.period_end_date
    order by
        claims_with_first.council_code,
        claims_with_first.claim_ref,
        validated_periods.period_start_date,
        validated_periods.period_end_date
)

select
    claims.council_code,
    claims.claim_ref,
    claims.project_ref,
    claims.evidence_code,
    identities.person_id,
    {{ age_band('people.birth_date', 'claims.effective_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    claims.element_ref,
    claims.split_number,
    claims.installation_ref,
    case
        when claims.element_ref is not null then 'service_change'
        when claims.installation_ref is not null then 'installation'
    end as evidence_type_code,
    claims.claimed_event as evidence_id,
    claims.effective_date,
    claims.effective_financial_year as financial_year,
    claims.financial_year as claimed_financial_year,
    claims.claimed_date,
    claims.weekly_before_gbp,
    claims.weekly_after_gbp,
    claims.in_year_gbp,
    claims.full_year_gbp,
    claims.savings_kind_code,
    claims.validation_code_now as validation_code,
    case when claims.validated_date <= {{ as_at() }} then claims.validated_date end as validated_date,
    claims.validated_period_start_date,
    claims.validated_period_end_date,
    claims.validation_code_now = 'rejected' as is_rejected,
    coalesce(claims.first_claim_ref <> claims.claim_ref, false) as is_double_claimed,
    nullif(claims.first_claim_ref, claims.claim_ref) as repeats_claim_ref,
    claims.validation_code_now <> 'rejected'
    and coalesce(claims.first_claim_ref = claims.claim_ref, true) as is_counted,
    claims.validation_code_now = 'validated'
    and coalesce(claims.first_claim_ref = claims.claim_ref, true)
    and (
        claims.validated_period_start_date is not null
        or not {{ var('savings_validated_by_period') }}
    ) as is_validated,
    coalesce(allocations.allocation_count, 1) > 1 as is_reallocated
from claims_with_period as claims
left join identities
    on
        claims.council_code = identities.council_code
        and claims.person_ref = identities.person_ref
left join people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
left join support_reasons
    on
        identities.council_code = support_reasons.council_code
        and identities.person_id = support_reasons.person_id
        and claims.effective_date >= support_reasons.start_date
        and (support_reasons.end_date is null or claims.effective_date <= support_reasons.end_date)
left join allocations
    on
        claims.council_code = allocations.council_code
        and claims.claim_ref = allocations.claim_ref
