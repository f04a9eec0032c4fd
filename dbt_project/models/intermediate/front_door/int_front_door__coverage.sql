select
    council_code,
    'contacts' as dataset_code,
    date_trunc('month', min(contact_date)::timestamp)::date as held_from_date
from {{ ref('int_front_door__contacts') }}
where contact_date is not null
group by council_code

union all

select
    council_code,
    'assessments' as dataset_code,
    date_trunc('month', min(assessment_date)::timestamp)::date as held_from_date
from {{ ref('int_front_door__assessments') }}
where assessment_date is not null
group by council_code
