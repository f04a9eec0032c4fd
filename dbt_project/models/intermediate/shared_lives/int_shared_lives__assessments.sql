-- One assessment a carer. The carer's own number is personal, so an assessment is numbered inside its household.

with carers as (
    select
        council_code,
        carer_ref,
        household_ref,
        applied_date,
        assessment_start_date,
        assessment_end_date,
        assessment_outcome_code
    from {{ ref('stg_registers__shared_lives_carers') }}
)

select
    council_code,
    household_ref || '-' || row_number() over (
        partition by council_code, household_ref
        order by applied_date, carer_ref
    ) as assessment_id,
    household_ref as household_id,
    applied_date,
    assessment_start_date,
    assessment_end_date,
    assessment_outcome_code
from carers
