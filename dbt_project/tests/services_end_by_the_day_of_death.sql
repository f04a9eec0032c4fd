-- Services of the dead end by the day of death. Where they do not, the figures end them there, and a completion
-- recorded for a later day does not count.
{{ config(severity='warn') }}

select
    service_elements.council_code,
    service_elements.element_ref,
    service_elements.split_number
from {{ ref('stg_mosaic__service_elements') }} as service_elements
inner join {{ ref('int_persons__identities') }} as identities
    on
        service_elements.council_code = identities.council_code
        and service_elements.person_ref = identities.person_ref
inner join {{ ref('int_persons__people') }} as people
    on
        identities.council_code = people.council_code
        and identities.person_id = people.person_id
where people.death_date < coalesce(service_elements.end_date, 'infinity')
