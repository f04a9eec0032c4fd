-- What each person is assessed to contribute a week over time. Where two assessments cover a day, the one that takes
-- effect later counts, as the contract of the extract says.

with financial_assessments as (
    select
        council_code,
        assessment_ref,
        person_ref,
        effective_date,
        end_date,
        weekly_contribution_gbp,
        is_full_cost
    from {{ ref('stg_mosaic__financial_assessments') }}
    where
        effective_date is not null
        and (end_date is null or end_date >= effective_date)
        and (weekly_contribution_gbp is not null or is_full_cost)
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
        person_id
    from {{ ref('int_persons__people') }}
),

assessments as (
    select
        financial_assessments.council_code,
        people.person_id,
        financial_assessments.assessment_ref,
        financial_assessments.effective_date as start_date,
        financial_assessments.end_date,
        coalesce(financial_assessments.weekly_contribution_gbp, 0) as weekly_contribution_gbp,
        coalesce(financial_assessments.is_full_cost, false) as is_full_cost
    from financial_assessments
    inner join identities
        on
            financial_assessments.council_code = identities.council_code
            and financial_assessments.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
),

assessments_in_force as (
    {{
        latest_begun(
            'assessments',
            ['assessment_ref', 'weekly_contribution_gbp', 'is_full_cost'],
            'assessment_ref desc'
        )
    }}
)

select
    council_code,
    person_id,
    start_date,
    end_date,
    assessment_ref,
    weekly_contribution_gbp::numeric(16, 2) as weekly_contribution_gbp,
    is_full_cost
from assessments_in_force
