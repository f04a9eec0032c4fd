-- Sums taken back, with the person where the account and the person are known: money counts in any case.

with recoupments as (
    select
        council_code,
        recoupment_ref,
        account_ref,
        recouped_date,
        recouped_gbp,
        reason_code
    from {{ ref('stg_registers__direct_payment_recoupments') }}
),

accounts as (
    select
        council_code,
        account_ref,
        person_ref,
        account_type_code
    from {{ ref('stg_registers__direct_payment_accounts') }}
),

identities as (
    select
        council_code,
        person_ref,
        person_id
    from {{ ref('int_persons__identities') }}
)

select
    recoupments.council_code,
    recoupments.recoupment_ref as recoupment_id,
    recoupments.account_ref,
    accounts.account_type_code,
    identities.person_id,
    recoupments.recouped_date,
    recoupments.recouped_gbp,
    recoupments.reason_code
from recoupments
left join accounts
    on
        recoupments.council_code = accounts.council_code
        and recoupments.account_ref = accounts.account_ref
left join identities
    on
        accounts.council_code = identities.council_code
        and accounts.person_ref = identities.person_ref
