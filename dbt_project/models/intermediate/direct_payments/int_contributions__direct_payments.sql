-- What packages and recouped sums contribute to K031, K032 and K068.

with packages as (
    select
        council_code,
        month_end_date,
        direct_payment_id,
        person_id,
        age_band,
        support_reason_code,
        is_in_force,
        is_new,
        employs_personal_assistant,
        is_on_prepaid_card
    from {{ ref('int_direct_payments__month_ends') }}
),

recoupments as (
    select
        council_code,
        recoupment_id,
        person_id,
        recouped_date,
        recouped_gbp,
        reason_code
    from {{ ref('int_direct_payments__recoupments') }}
),

all_contributions as (
    select
        council_code,
        'K031' as measure_id,
        month_end_date as counted_on_date,
        'fct_direct_payments' as fact_name,
        direct_payment_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        null as other_breakdown_value,
        employs_personal_assistant::integer::numeric as numerator,
        1::numeric as denominator
    from packages
    where {{ 'is_new' if var('k031_basis') == 'new' else 'is_in_force' }}

    union all

    select
        council_code,
        'K068' as measure_id,
        month_end_date as counted_on_date,
        'fct_direct_payments' as fact_name,
        direct_payment_id as fact_key,
        person_id,
        age_band,
        support_reason_code,
        null as other_breakdown_value,
        is_on_prepaid_card::integer as numerator,
        1 as denominator
    from packages
    where is_in_force

    union all

    select
        council_code,
        'K032' as measure_id,
        recouped_date as counted_on_date,
        'fct_direct_payment_recoupments' as fact_name,
        recoupment_id as fact_key,
        person_id,
        null as age_band,
        null as support_reason_code,
        reason_code as other_breakdown_value,
        recouped_gbp as numerator,
        null as denominator
    from recoupments
)

select
    council_code,
    measure_id,
    counted_on_date,
    fact_name,
    fact_key,
    person_id,
    null::text as team_ref,
    age_band,
    support_reason_code,
    other_breakdown_value,
    numerator,
    denominator
from all_contributions
