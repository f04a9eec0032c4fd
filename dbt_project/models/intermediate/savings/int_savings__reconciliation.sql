-- What the records show, what projects claim, what finance validated, what was stated and what payments show, by
-- project, financial year and kind of saving. Evidence belongs to the project and kind of its claim; without one, to
-- the project it is credited to, as a budget reduction, and an avoided cost to no project.

with claims as (
    select
        claims.*,
        evidence.evidence_id is not null as has_evidence,
        evidence.in_year_gbp as recorded_in_year_gbp,
        evidence.full_year_gbp as recorded_full_year_gbp
    from {{ ref('int_savings__claims') }} as claims
    left join {{ ref('int_savings__evidence') }} as evidence
        on
            claims.council_code = evidence.council_code
            and claims.evidence_type_code = evidence.evidence_type_code
            and claims.evidence_id = evidence.evidence_id
),

unclaimed_evidence as (
    select
        evidence.council_code,
        coalesce(evidence.project_ref, 'none') as project_ref,
        evidence.financial_year,
        case evidence.evidence_type_code when 'installation' then 'cost_avoidance' else 'cashable' end
            as savings_kind_code,
        evidence.in_year_gbp,
        evidence.full_year_gbp
    from {{ ref('int_savings__evidence') }} as evidence
    left join {{ ref('int_savings__claims') }} as claims
        on
            evidence.council_code = claims.council_code
            and evidence.evidence_type_code = claims.evidence_type_code
            and evidence.evidence_id = claims.evidence_id
    where claims.claim_ref is null
),

payments as (
    select
        council_code,
        element_ref,
        split_number,
        financial_year,
        case when payment_type_code in ('payment', 'correction_charge') then 1 else -1 end
        * (period_end_date - period_start_date + 1) as paid_days,
        actual_gbp
    from {{ ref('stg_finance__provider_payments') }}
),

-- Effect in the payments: what the days paid for would have cost at the weekly cost before, less what was paid.
payment_effects as (
    select
        claims.council_code,
        claims.project_ref,
        claims.financial_year,
        claims.savings_kind_code,
        sum(payments.paid_days * evidence.weekly_before_gbp / 7 - payments.actual_gbp) as paid_effect_gbp
    from claims
    inner join {{ ref('int_savings__evidence') }} as evidence
        on
            claims.council_code = evidence.council_code
            and claims.evidence_type_code = evidence.evidence_type_code
            and claims.evidence_id = evidence.evidence_id
    inner join payments
        on
            evidence.council_code = payments.council_code
            and evidence.element_ref = payments.element_ref
            and evidence.split_number = payments.split_number
            and claims.financial_year = payments.financial_year
    where
        claims.is_counted
        and evidence.weekly_before_gbp is not null
    group by
        claims.council_code,
        claims.project_ref,
        claims.financial_year,
        claims.savings_kind_code
),

validations as (
    select
        council_code,
        project_ref,
        {{ financial_year('period_end_date') }} as financial_year,
        savings_kind_code,
        sum(claimed_gbp) as finance_claimed_gbp,
        sum(validated_gbp) filter (
            where validation_code = 'validated' and coalesce(validated_date, '-infinity') <= {{ as_at() }}
        ) as finance_validated_gbp
    from {{ ref('stg_programme__finance_validations') }}
    group by
        council_code,
        project_ref,
        {{ financial_year('period_end_date') }},
        savings_kind_code
),

-- The newest figure of each class that a paper states for the year.
stated as (
    select distinct on (council_code, project_ref, period, savings_kind_code, figure_code)
        council_code,
        project_ref,
        period as financial_year,
        savings_kind_code,
        figure_code,
        as_of_date,
        amount_gbp
    from {{ ref('stg_programme__project_figures') }}
    where
        figure_code in ('forecast', 'achieved', 'cost')
        and effect_code in ('in_year', 'year_end', 'year_to_date', 'not_stated')
        and period ~ '^\d{4}/\d{2}$'
        and amount_gbp is not null
        and as_of_date <= {{ as_at() }}
    order by
        council_code asc,
        project_ref asc,
        period asc,
        savings_kind_code asc,
        figure_code asc,
        as_of_date desc,
        report_date desc,
        figure ~* '\mtotal\M' desc,
        amount_gbp desc
),

income as (
    select
        income.council_code,
        measure_projects.project_ref,
        income.financial_year,
        'income' as savings_kind_code,
        sum(income.charged_gbp) as charged_gbp,
        sum(income.received_gbp) as received_gbp
    from {{ ref('stg_finance__income') }} as income
    inner join {{ ref('measure_projects') }} as measure_projects
        on
            income.council_code = measure_projects.council_code
            and measure_projects.measure_id
            = case income.income_kind_code
                when 'continuing_health_care' then 'K038'
                when 'brokerage_fee' then 'K039'
            end
    group by
        income.council_code,
        measure_projects.project_ref,
        income.financial_year
),

-- One row for each thing known; a key is there if anything about it is.
parts as (
    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        'claim' as part_code,
        claim_ref,
        has_evidence,
        is_counted,
        is_rejected,
        is_double_claimed,
        is_validated,
        in_year_gbp,
        full_year_gbp,
        recorded_in_year_gbp,
        recorded_full_year_gbp,
        null::date as as_of_date
    from claims

    union all

    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        'unclaimed' as part_code,
        null as claim_ref,
        true as has_evidence,
        false as is_counted,
        false as is_rejected,
        false as is_double_claimed,
        false as is_validated,
        null as in_year_gbp,
        null as full_year_gbp,
        in_year_gbp as recorded_in_year_gbp,
        full_year_gbp as recorded_full_year_gbp,
        null as as_of_date
    from unclaimed_evidence

    union all

    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        'stated_' || figure_code as part_code,
        null as claim_ref,
        false as has_evidence,
        false as is_counted,
        false as is_rejected,
        false as is_double_claimed,
        false as is_validated,
        amount_gbp as in_year_gbp,
        null as full_year_gbp,
        null as recorded_in_year_gbp,
        null as recorded_full_year_gbp,
        as_of_date
    from stated

    union all

    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        'finance' as part_code,
        null as claim_ref,
        false as has_evidence,
        false as is_counted,
        false as is_rejected,
        false as is_double_claimed,
        false as is_validated,
        finance_validated_gbp as in_year_gbp,
        finance_claimed_gbp as full_year_gbp,
        null as recorded_in_year_gbp,
        null as recorded_full_year_gbp,
        null as as_of_date
    from validations

    union all

    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        'income' as part_code,
        null as claim_ref,
        false as has_evidence,
        false as is_counted,
        false as is_rejected,
        false as is_double_claimed,
        false as is_validated,
        received_gbp as in_year_gbp,
        charged_gbp as full_year_gbp,
        null as recorded_in_year_gbp,
        null as recorded_full_year_gbp,
        null as as_of_date
    from income
),

sums as (
    select
        council_code,
        project_ref,
        financial_year,
        savings_kind_code,
        count(claim_ref) as claim_count,
        count(*) filter (where part_code = 'unclaimed') as unclaimed_evidence_count,
        count(claim_ref) filter (where not has_evidence) as claim_without_evidence_count,
        count(claim_ref) filter (where is_double_claimed) as double_claim_count,
        -- Evidence counts once, however often it is claimed, and not at all for a claim that does not count.
        coalesce(sum(recorded_in_year_gbp) filter (where is_counted or part_code = 'unclaimed'), 0)
            as recorded_in_year_gbp,
        coalesce(sum(recorded_full_year_gbp) filter (where is_counted or part_code = 'unclaimed'), 0)
            as recorded_full_year_gbp,
        -coalesce(sum(recorded_in_year_gbp) filter (where part_code = 'unclaimed'), 0) as not_claimed_gbp,
        coalesce(sum(in_year_gbp) filter (where is_counted and recorded_in_year_gbp is null), 0) as not_recorded_gbp,
        coalesce(
            sum(in_year_gbp - recorded_in_year_gbp) filter (where is_counted and recorded_in_year_gbp is not null), 0
        ) as claimed_above_records_gbp,
        coalesce(sum(in_year_gbp) filter (where is_double_claimed), 0) as double_claimed_gbp,
        coalesce(sum(in_year_gbp) filter (where is_rejected), 0) as rejected_gbp,
        coalesce(sum(in_year_gbp) filter (where part_code = 'claim'), 0) as claimed_in_year_gbp,
        coalesce(sum(full_year_gbp) filter (where part_code = 'claim'), 0) as claimed_full_year_gbp,
        coalesce(sum(in_year_gbp) filter (where is_counted), 0) as counted_in_year_gbp,
        coalesce(sum(full_year_gbp) filter (where is_counted), 0) as counted_full_year_gbp,
        coalesce(sum(in_year_gbp) filter (where is_counted and not is_validated), 0) as not_validated_gbp,
        coalesce(sum(in_year_gbp) filter (where is_validated), 0) as validated_in_year_gbp,
        coalesce(sum(full_year_gbp) filter (where is_validated), 0) as validated_full_year_gbp,
        sum(in_year_gbp) filter (where part_code = 'stated_forecast') as stated_forecast_gbp,
        max(as_of_date) filter (where part_code = 'stated_forecast') as forecast_as_of_date,
        sum(in_year_gbp) filter (where part_code = 'stated_achieved') as stated_achieved_gbp,
        max(as_of_date) filter (where part_code = 'stated_achieved') as achieved_as_of_date,
        sum(in_year_gbp) filter (where part_code = 'stated_cost') as stated_cost_gbp,
        sum(in_year_gbp) filter (where part_code = 'finance') as finance_validated_gbp,
        sum(full_year_gbp) filter (where part_code = 'finance') as finance_claimed_gbp,
        sum(full_year_gbp) filter (where part_code = 'income') as income_charged_gbp,
        sum(in_year_gbp) filter (where part_code = 'income') as income_received_gbp
    from parts
    group by
        council_code,
        project_ref,
        financial_year,
        savings_kind_code
)

select
    sums.council_code,
    sums.project_ref,
    sums.financial_year,
    sums.savings_kind_code,
    sums.claim_count,
    sums.unclaimed_evidence_count,
    sums.claim_without_evidence_count,
    sums.double_claim_count,
    sums.recorded_in_year_gbp::numeric(18, 2) as recorded_in_year_gbp,
    sums.recorded_full_year_gbp::numeric(18, 2) as recorded_full_year_gbp,
    sums.not_claimed_gbp::numeric(18, 2) as not_claimed_gbp,
    sums.not_recorded_gbp::numeric(18, 2) as not_recorded_gbp,
    sums.claimed_above_records_gbp::numeric(18, 2) as claimed_above_records_gbp,
    sums.double_claimed_gbp::numeric(18, 2) as double_claimed_gbp,
    sums.rejected_gbp::numeric(18, 2) as rejected_gbp,
    sums.claimed_in_year_gbp::numeric(18, 2) as claimed_in_year_gbp,
    sums.claimed_full_year_gbp::numeric(18, 2) as claimed_full_year_gbp,
    sums.counted_in_year_gbp::numeric(18, 2) as counted_in_year_gbp,
    sums.counted_full_year_gbp::numeric(18, 2) as counted_full_year_gbp,
    sums.not_validated_gbp::numeric(18, 2) as not_validated_gbp,
    sums.validated_in_year_gbp::numeric(18, 2) as validated_in_year_gbp,
    sums.validated_full_year_gbp::numeric(18, 2) as validated_full_year_gbp,
    sums.stated_forecast_gbp::numeric(18, 2) as stated_forecast_gbp,
    sums.forecast_as_of_date,
    sums.stated_achieved_gbp::numeric(18, 2) as stated_achieved_gbp,
    sums.achieved_as_of_date,
    sums.stated_cost_gbp::numeric(18, 2) as stated_cost_gbp,
    sums.finance_validated_gbp::numeric(18, 2) as finance_validated_gbp,
    sums.finance_claimed_gbp::numeric(18, 2) as finance_claimed_gbp,
    sums.income_charged_gbp::numeric(18, 2) as income_charged_gbp,
    sums.income_received_gbp::numeric(18, 2) as income_received_gbp,
    round(payment_effects.paid_effect_gbp, 2)::numeric(18, 2) as paid_effect_gbp
from sums
left join payment_effects
    on
        sums.council_code = payment_effects.council_code
        and sums.project_ref = payment_effects.project_ref
        and sums.financial_year = payment_effects.financial_year
        and sums.savings_kind_code = payment_effects.savings_kind_code
