-- Direct payment packages as the measures use them: of people who are known, ended by death at the latest, and without
-- rows that end before they start.

with direct_payments as (
    select
        council_code,
        direct_payment_ref,
        person_ref,
        element_ref,
        start_date,
        end_date,
        employs_personal_assistant,
        is_on_prepaid_card,
        calculated_weekly_gbp,
        contingency_gbp
    from {{ ref('stg_mosaic__direct_payments') }}
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
        birth_date,
        death_date
    from {{ ref('int_persons__people') }}
),

packages as (
    select
        direct_payments.council_code,
        direct_payments.direct_payment_ref,
        people.person_id,
        people.birth_date,
        direct_payments.element_ref,
        direct_payments.start_date,
        least(direct_payments.end_date, people.death_date) as end_date,
        direct_payments.end_date as recorded_end_date,
        direct_payments.employs_personal_assistant,
        direct_payments.is_on_prepaid_card,
        direct_payments.calculated_weekly_gbp,
        direct_payments.contingency_gbp
    from direct_payments
    inner join identities
        on
            direct_payments.council_code = identities.council_code
            and direct_payments.person_ref = identities.person_ref
    inner join people
        on
            identities.council_code = people.council_code
            and identities.person_id = people.person_id
)

select
    council_code,
    direct_payment_ref::text as direct_payment_id,
    direct_payment_ref,
    person_id,
    birth_date,
    element_ref,
    start_date,
    end_date,
    recorded_end_date,
    employs_personal_assistant,
    is_on_prepaid_card,
    calculated_weekly_gbp,
    contingency_gbp
from packages
where
    end_date is null
    or end_date >= start_date
