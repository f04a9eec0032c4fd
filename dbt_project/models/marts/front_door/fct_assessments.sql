with assessments as (
    select
        council_code,
        assessment_id,
        step_ref,
        person_id,
        assessment_date,
        recorded_date,
        team_ref
    from {{ ref('int_front_door__assessments') }}
),

long_term_spells as (
    select
        council_code,
        person_id,
        start_date
    from {{ ref('int_support__long_term_spells') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
),

assessments_before_support as (
    select distinct
        assessments.council_code,
        assessments.assessment_id
    from assessments
    inner join long_term_spells
        on
            assessments.council_code = long_term_spells.council_code
            and assessments.person_id = long_term_spells.person_id
            and long_term_spells.start_date
            between assessments.assessment_date
            and assessments.assessment_date + {{ var('assessment_support_days') }}
)

select
    {{ publication_id() }} as publication_id,
    assessments.council_code,
    assessments.assessment_id,
    assessments.step_ref,
    assessments.person_id,
    assessments.assessment_date,
    {{ financial_year('assessments.assessment_date') }} as financial_year,
    {{ financial_period('assessments.assessment_date') }} as period_number,
    assessments.recorded_date,
    assessments.recorded_date - assessments.assessment_date as recording_lag_days,
    {{ age_band('people.birth_date', 'assessments.assessment_date') }} as age_band,
    case
        when assessments.assessment_date + {{ var('assessment_support_days') }} <= {{ as_at() }}
            then assessments_before_support.assessment_id is not null
    end as started_long_term_support,
    assessments.team_ref
from assessments
inner join people
    on
        assessments.council_code = people.council_code
        and assessments.person_id = people.person_id
left join assessments_before_support
    on
        assessments.council_code = assessments_before_support.council_code
        and assessments.assessment_id = assessments_before_support.assessment_id
