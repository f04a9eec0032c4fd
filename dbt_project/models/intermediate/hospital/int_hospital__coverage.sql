select
    council_code,
    'hospital_discharges' as dataset_code,
    date_trunc('month', min(discharge_date)::timestamp)::date as held_from_date
from {{ ref('int_hospital__referrals') }}
where discharge_date is not null
group by council_code
