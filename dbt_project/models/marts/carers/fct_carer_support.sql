with carer_support as (
    select
        council_code,
        carer_support_id,
        support_ref,
        person_id,
        support_code,
        start_date,
        end_date,
        cost_gbp
    from {{ ref('int_carers__support') }}
),

people as (
    select
        council_code,
        person_id,
        birth_date
    from {{ ref('int_persons__people') }}
)

select
    {{ publication_id() }} as publication_id,
    carer_support.council_code,
    carer_support.carer_support_id,
    carer_support.support_ref,
    carer_support.person_id,
    carer_support.support_code,
    carer_support.start_date,
    carer_support.end_date,
    {{ financial_year('carer_support.start_date') }} as financial_year,
    {{ financial_period('carer_support.start_date') }} as period_number,
    carer_support.cost_gbp,
    {{ age_band('people.birth_date', 'carer_support.start_date') }} as age_band
from carer_support
inner join people
    on
        carer_support.council_code = people.council_code
        and carer_support.person_id = people.person_id
