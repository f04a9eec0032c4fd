-- Services of the dead end by the day of death. Where they do not, the figures end them there, and a completion
-- recorded for a later day does not count.
{{ config(severity='warn') }}

select
    service_elements.council_code,
    service_elements.element_ref,
    service_elements.split_number
from {{ ref('stg_mosaic__service_elements') }} as service_elements
inner join {{ ref('stg_mosaic__persons') }} as persons
    on
        service_elements.council_code = persons.council_code
        and service_elements.person_ref = persons.person_ref
where persons.death_date < coalesce(service_elements.end_date, 'infinity')
