-- What a year's income will come to, as seen on each month end: what was charged for the year by then, received or not,
-- and what the packages and agreements in force that day bring until 31 March if they go on. No end is foreseen.

with month_ends as (
    select
        month_end_date,
        financial_year,
        period_number,
        {{ financial_year_end('month_end_date') }} as year_end_date
    from {{ ref('int_calendar__month_ends') }}
),

income as (
    select
        council_code,
        income_kind_code,
        case income_kind_code
            when 'continuing_health_care' then element_ref::text
            when 'brokerage_fee' then account_ref
        end as source_ref,
        financial_year,
        -- Closing periods belong to the year's end.
        least(period_number, 12) as period_number,
        charged_gbp,
        received_gbp
    from {{ ref('stg_finance__income') }}
    where income_kind_code in ('continuing_health_care', 'brokerage_fee')
),

income_by_period as (
    select
        council_code,
        income_kind_code,
        source_ref,
        financial_year,
        period_number,
        sum(charged_gbp) as charged_gbp,
        sum(received_gbp) as received_gbp
    from income
    group by
        council_code,
        income_kind_code,
        source_ref,
        financial_year,
        period_number
),

charged_to_date as (
    select
        income_by_period.council_code,
        income_by_period.income_kind_code,
        income_by_period.source_ref,
        month_ends.month_end_date,
        sum(income_by_period.charged_gbp) as charged_gbp,
        sum(income_by_period.received_gbp) as received_gbp
    from income_by_period
    inner join month_ends
        on
            income_by_period.financial_year = month_ends.financial_year
            and income_by_period.period_number <= month_ends.period_number
    group by
        income_by_period.council_code,
        income_by_period.income_kind_code,
        income_by_period.source_ref,
        month_ends.month_end_date
),

service_elements as (
    select
        council_code,
        element_ref,
        split_number,
        health_share_percent
    from {{ ref('stg_mosaic__service_elements') }}
    where health_share_percent > 0
),

services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        start_date,
        end_date,
        weekly_cost_gbp
    from {{ ref('int_support__services') }}
    where weekly_cost_gbp is not null
),

agreements as (
    select
        council_code,
        agreement_ref,
        person_id,
        signed_date,
        end_date,
        annual_fee_gbp
    from {{ ref('int_income__agreements') }}
    where
        is_known_person
        and signed_date is not null
),

expected_parts as (
    select
        services.council_code,
        'continuing_health_care' as income_kind_code,
        services.element_ref::text as source_ref,
        services.person_id,
        month_ends.month_end_date,
        round(
            {{ cost_of_days(
                'services.weekly_cost_gbp * service_elements.health_share_percent / 100',
                '(month_ends.month_end_date + 1)',
                'month_ends.year_end_date'
            ) }},
            2
        ) as expected_gbp
    from services
    inner join service_elements
        on
            services.council_code = service_elements.council_code
            and services.element_ref = service_elements.element_ref
            and services.split_number = service_elements.split_number
    inner join month_ends
        on
            services.start_date <= month_ends.month_end_date
            and (services.end_date is null or services.end_date >= month_ends.month_end_date)

    union all

    select
        agreements.council_code,
        'brokerage_fee' as income_kind_code,
        agreements.agreement_ref as source_ref,
        agreements.person_id,
        month_ends.month_end_date,
        round(agreements.annual_fee_gbp * (12 - month_ends.period_number) / 12, 2) as expected_gbp
    from agreements
    inner join month_ends
        on
            agreements.signed_date <= month_ends.month_end_date
            and (agreements.end_date is null or agreements.end_date >= month_ends.month_end_date)
),

expected as (
    select
        council_code,
        income_kind_code,
        source_ref,
        month_end_date,
        min(person_id) as person_id,
        sum(expected_gbp) as expected_gbp
    from expected_parts
    group by
        council_code,
        income_kind_code,
        source_ref,
        month_end_date
),

forecasts as (
    select
        coalesce(charged_to_date.council_code, expected.council_code) as council_code,
        coalesce(charged_to_date.income_kind_code, expected.income_kind_code) as income_kind_code,
        coalesce(charged_to_date.source_ref, expected.source_ref, 'none') as source_ref,
        coalesce(charged_to_date.month_end_date, expected.month_end_date) as month_end_date,
        expected.person_id,
        coalesce(charged_to_date.charged_gbp, 0) as charged_gbp,
        coalesce(charged_to_date.received_gbp, 0) as received_gbp,
        coalesce(expected.expected_gbp, 0) as expected_gbp
    from charged_to_date
    full join expected
        on
            charged_to_date.council_code = expected.council_code
            and charged_to_date.income_kind_code = expected.income_kind_code
            and charged_to_date.source_ref = expected.source_ref
            and charged_to_date.month_end_date = expected.month_end_date
)

select
    council_code,
    income_kind_code || '-' || month_end_date || '-' || source_ref as income_forecast_id,
    income_kind_code,
    case when income_kind_code = 'continuing_health_care' and source_ref <> 'none' then source_ref::bigint end
        as element_ref,
    case when income_kind_code = 'brokerage_fee' and source_ref <> 'none' then source_ref end as agreement_ref,
    month_end_date,
    person_id,
    charged_gbp::numeric(16, 2) as charged_gbp,
    received_gbp::numeric(16, 2) as received_gbp,
    expected_gbp::numeric(16, 2) as expected_gbp,
    (charged_gbp + expected_gbp)::numeric(16, 2) as forecast_gbp
from forecasts
where
    charged_gbp <> 0
    or expected_gbp <> 0
