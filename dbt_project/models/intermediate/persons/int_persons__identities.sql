-- Which person each number belongs to now. Merges are followed to their end: a master may itself have been merged, or
-- be named before its own record arrives. Numbers merged in a circle name no master, so the lowest of the circle stands
-- for all of them; they are reported by the test merges_form_no_circle.

with recursive records as (
    select
        council_code,
        person_ref,
        person_id,
        is_listed
    from {{ ref('stg_mosaic__persons_ever_listed') }}
),

listed_merges as (
    select
        council_code,
        merged_person_ref,
        master_person_ref
    from {{ ref('stg_mosaic__person_merges') }}
),

walks as (
    select
        council_code,
        merged_person_ref as person_ref,
        array[merged_person_ref] as passed_refs,
        master_person_ref as reached_ref
    from listed_merges

    union all

    select
        walks.council_code,
        walks.person_ref,
        walks.passed_refs || walks.reached_ref as passed_refs,
        listed_merges.master_person_ref as reached_ref
    from walks
    inner join listed_merges
        on
            walks.council_code = listed_merges.council_code
            and walks.reached_ref = listed_merges.merged_person_ref
    where walks.reached_ref <> all(walks.passed_refs)
),

ends as (
    select distinct on (council_code, person_ref)
        council_code,
        person_ref,
        reached_ref,
        reached_ref = any(passed_refs) as is_circle,
        passed_refs[array_position(passed_refs, reached_ref):cardinality(passed_refs)] as circle_refs
    from walks
    order by council_code asc, person_ref asc, cardinality(passed_refs) desc
),

resolved_merges as (
    select
        council_code,
        person_ref,
        case
            when is_circle then (select min(circle_ref) from unnest(circle_refs) as members (circle_ref))
            else reached_ref
        end as master_person_ref,
        is_circle and person_ref = any(circle_refs) as is_in_circle
    from ends
),

known_refs as (
    select
        council_code,
        person_ref
    from records

    union distinct

    select
        council_code,
        merged_person_ref as person_ref
    from listed_merges

    union distinct

    select
        council_code,
        master_person_ref as person_ref
    from listed_merges
),

refs_with_master as (
    select
        known_refs.council_code,
        known_refs.person_ref,
        coalesce(resolved_merges.master_person_ref, known_refs.person_ref) as master_person_ref,
        coalesce(resolved_merges.is_in_circle, false) as is_in_circle
    from known_refs
    left join resolved_merges
        on
            known_refs.council_code = resolved_merges.council_code
            and known_refs.person_ref = resolved_merges.person_ref
),

-- The master's pseudonym stands for all, or, until its record arrives, that of the lowest number whose record is known.
pseudonyms as (
    select distinct on (refs_with_master.council_code, refs_with_master.master_person_ref)
        refs_with_master.council_code,
        refs_with_master.master_person_ref,
        records.person_id
    from refs_with_master
    inner join records
        on
            refs_with_master.council_code = records.council_code
            and refs_with_master.person_ref = records.person_ref
    order by
        refs_with_master.council_code asc,
        refs_with_master.master_person_ref asc,
        refs_with_master.person_ref = refs_with_master.master_person_ref desc,
        refs_with_master.person_ref asc
)

select
    refs_with_master.council_code,
    refs_with_master.person_ref,
    refs_with_master.master_person_ref,
    pseudonyms.person_id,
    coalesce(records.is_listed, false) as is_listed,
    refs_with_master.is_in_circle
from refs_with_master
inner join pseudonyms
    on
        refs_with_master.council_code = pseudonyms.council_code
        and refs_with_master.master_person_ref = pseudonyms.master_person_ref
left join records
    on
        refs_with_master.council_code = records.council_code
        and refs_with_master.person_ref = records.person_ref
