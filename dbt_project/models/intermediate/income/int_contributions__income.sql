with forecasts as (
    select
        council_code,
        income_forecast_id,
        income_kind_code,
        month_end_date,
        forecast_gbp
    from {{ ref('int_income__forecasts') }}
),

measure_projects as (
    select distinct
        measure_id,
        council_code
    from {{ ref('measure_projects') }}
    where measure_id in ('K038', 'K039')
),

agreements as (
    select
        council_code,
        agreement_ref,
        person_id,
        birth_date,
        eligible_from_date,
        signed_date,
        end_date
    from {{ ref('int_income__agreements') }}
    where is_known_person
),

month_ends as (
    select month_end_date
    from {{ ref('int_calendar__month_ends') }}
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

-- A person counts once; of several offers the one that was signed stands for them.
eligible_people as (
    select distinct on (agreements.council_code, agreements.person_id, month_ends.month_end_date)
        agreements.council_code,
        agreements.person_id,
        agreements.agreement_ref,
        agreements.birth_date,
        month_ends.month_end_date,
        coalesce(agreements.signed_date <= month_ends.month_end_date, false) as is_signed
    from agreements
    inner join month_ends
        on
            agreements.eligible_from_date <= month_ends.month_end_date
            and (agreements.end_date is null or agreements.end_date >= month_ends.month_end_date)
    order by
        agreements.council_code asc,
        agreements.person_id asc,
        month_ends.month_end_date asc,
        coalesce(agreements.signed_date <= month_ends.month_end_date, false) desc,
        agreements.eligible_from_date desc,
        agreements.agreement_ref desc
)

select
    forecasts.council_code,
    measure_projects.measure_id,
    forecasts.month_end_date as counted_on_date,
    'fct_income_forecasts' as fact_name,
    forecasts.income_forecast_id as fact_key,
    null::text as person_id,
    null::text as team_ref,
    null::text as age_band,
    null::text as support_reason_code,
    null::text as other_breakdown_value,
    forecasts.forecast_gbp::numeric as numerator,
    null::numeric as denominator
from forecasts
inner join measure_projects
    on
        forecasts.council_code = measure_projects.council_code
        and measure_projects.measure_id
        = case forecasts.income_kind_code
            when 'continuing_health_care' then 'K038'
            when 'brokerage_fee' then 'K039'
        end

union all

select
    eligible_people.council_code,
    'K040' as measure_id,
    eligible_people.month_end_date as counted_on_date,
    'fct_brokerage_agreements' as fact_name,
    eligible_people.agreement_ref as fact_key,
    eligible_people.person_id,
    null as team_ref,
    {{ age_band('eligible_people.birth_date', 'eligible_people.month_end_date') }} as age_band,
    coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
    null as other_breakdown_value,
    case when eligible_people.is_signed then 1 else 0 end as numerator,
    1 as denominator
from eligible_people
left join support_reasons
    on
        eligible_people.council_code = support_reasons.council_code
        and eligible_people.person_id = support_reasons.person_id
        and eligible_people.month_end_date >= support_reasons.start_date
        and (support_reasons.end_date is null or eligible_people.month_end_date <= support_reasons.end_date)
