-- Unbroken spells of long-term support. Rows are compared with the latest end so far, not with the row before them:
-- a short row nested in a long one would otherwise break the spell.

with long_term_services as (
    select
        council_code,
        person_id,
        element_ref,
        split_number,
        start_date,
        coalesce(end_date, 'infinity') as end_date
    from {{ ref('int_support__services') }}
    where is_long_term
),

services_with_reach as (
    select
        *,
        max(end_date) over (
            partition by council_code, person_id
            order by start_date, element_ref, split_number
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from long_term_services
),

-- End dates are inclusive, so a row that starts the day after an end touches it.
services_with_first as (
    select
        *,
        latest_end_before is null or start_date > latest_end_before + 1 as starts_spell
    from services_with_reach
),

services_with_spell as (
    select
        *,
        count(*) filter (where starts_spell) over (
            partition by council_code, person_id
            order by start_date, element_ref, split_number
        ) as spell_number
    from services_with_first
)

select
    council_code,
    person_id,
    min(start_date) as start_date,
    nullif(max(end_date), 'infinity') as end_date,
    (array_agg(element_ref order by start_date, element_ref, split_number))[1] as first_element_ref,
    (array_agg(split_number order by start_date, element_ref, split_number))[1] as first_split_number
from services_with_spell
group by
    council_code,
    person_id,
    spell_number
