-- What was published before, for the build that compares with it; and where a published row came from, for readers.
set role carehouse_owner;

-- The publication that a build of that day's knowledge is compared with: of those that rest on no later day the one
-- that rests on the latest, and of several of one day the last. One that readers were led back from does not count,
-- unless they were shown it again.
create or replace function store.previous_publication(wanted_as_at date, wanted_publication bigint)
returns table (publication_id bigint, as_at_date date, code_version text, built_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select kept.publication_id, kept.as_at_date, kept.code_version, made.started_at
    from store.publication as kept
    inner join audit.build as made on kept.publication_id = made.build_id
    where
        kept.published_at is not null
        and kept.pruned_at is null
        and kept.as_at_date <= wanted_as_at
        and kept.publication_id <> wanted_publication
        and not exists (
            select from store.pointer_move as led_back
            where
                led_back.reason = 'rolled back'
                and led_back.to_publication_id < kept.publication_id
                and led_back.from_publication_id >= kept.publication_id
                and not exists (
                    select from store.pointer_move as shown_again
                    where
                        shown_again.to_publication_id = kept.publication_id
                        and shown_again.moved_at > led_back.moved_at
                )
        )
    order by kept.as_at_date desc, kept.publication_id desc
    limit 1
$$;

comment on function store.previous_publication(date, bigint) is
'The publication that a build as at a day is compared with; no row when there is none.';

-- By name and as text, since nothing is published before the first night, and columns may have been added since.
create or replace function store.published_rows(mart_name text, wanted_publication bigint)
returns setof jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if mart_name not in ('kpi_values', 'kpi_restatements') then
        perform store.refuse(format('the rows of %s are not compared', mart_name));
    end if;
    if wanted_publication is null or to_regclass(format('store.%I', mart_name)) is null then
        return;
    end if;
    return query execute
        format('select to_jsonb(published) from store.%I as published where publication_id = $1', mart_name)
        using wanted_publication;
end
$$;

comment on function store.published_rows(text, bigint) is
'The figures of a publication, or the restatements listed in it; no row before the first publication.';

-- Leads from rows of a fact, by its text key, to the lines of the files they were made from, as known on the as-at
-- date of the publication being read. It follows data_lineage and nothing else, so that a reader can ask about rows
-- he has been shown and learns where they stand, never what stands there.
create or replace function mart.source_rows(wanted_fact text, wanted_council text, wanted_keys text[])
returns table (
    fact_key text,
    source_table text,
    source_key text,
    known_from_date date,
    batch_id bigint,
    extract_date date,
    file_name text,
    line_number integer,
    content_sha256 text
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    shown bigint := store.current_publication();
    known_at date;
    leads record;
    -- All numbers of each person in the care system, those of records merged into one among them. What was published
    -- before the key was changed has the pseudonyms of that time.
    numbers constant text := 'with recursive numbers as ('
        '(select known.person_id, known.person_ref from history.mosaic__persons as known '
        'where known.council_code = $2 and known.known_from <= $4 '
        'union select link.retired_person_id, known.person_ref from history.mosaic__persons as known '
        'inner join audit.pseudonym_link as link '
        'on known.council_code = link.council_code and known.person_id = link.person_id '
        'where known.council_code = $2 and known.known_from <= $4) '
        'union select numbers.person_id, merged.merged_person_ref from numbers '
        'inner join history.mosaic__person_merges as merged on numbers.person_ref = merged.master_person_ref '
        'where merged.council_code = $2 and merged.known_from <= $4 '
        'and (merged.known_to is null or merged.known_to > $4)) ';
begin
    if shown is null or to_regclass('store.data_lineage') is null then
        return;
    end if;
    select as_at_date into known_at from store.publication where publication_id = shown;
    for leads in
        select
            steps.source_table,
            steps.fact_key_column,
            steps.through_fact_name,
            string_agg(
                format('other.%I::text = fact.%I::text', steps.source_column, steps.fact_column), ' and '
                order by steps.pair_number
            ) filter (where steps.leads_to_code = 'fact') as fact_join,
            string_agg(
                format(
                    case steps.leads_to_code
                        when 'person'
                            then '(%2$s.%3$I, history.%1$I) in (select numbers.person_id, numbers.person_ref from numbers)'
                        -- A fact may keep a number as text.
                        else 'history.%1$I::text = %2$s.%3$I::text'
                    end,
                    steps.source_column,
                    case when steps.through_fact_name is null then 'fact' else 'other' end,
                    steps.fact_column
                ), ' and '
                order by steps.pair_number
            ) filter (where steps.leads_to_code <> 'fact') as source_join,
            string_agg(
                format('%L || history.%I', steps.source_column || ' ', steps.source_column), ' || '', '' || '
                order by steps.pair_number
            ) filter (where steps.leads_to_code = 'source') as key_in_words,
            bool_or(steps.leads_to_code = 'person') as leads_by_person
        from store.data_lineage as steps
        where steps.publication_id = shown and steps.fact_name = wanted_fact
        group by steps.source_number, steps.source_table, steps.fact_key_column, steps.through_fact_name
        order by steps.source_number
    loop
        continue when to_regclass(format('history.%I', replace(leads.source_table, '.', '__'))) is null;
        return query execute format(
            '%8$s select fact.%1$I::text, %2$L::text, %3$s, history.known_from, brought.batch_id, brought.extract_date, '
            'brought.file_name, history.source_line, brought.content_sha256 '
            'from store.%4$I as fact %5$s '
            'inner join history.%6$I as history on history.council_code = fact.council_code and %7$s '
            'inner join audit.batch as brought on history.batch_id = brought.batch_id '
            'where fact.publication_id = $1 and fact.council_code = $2 and fact.%1$I::text = any($3) '
            'and history.known_from <= $4 and (history.known_to is null or history.known_to > $4)',
            leads.fact_key_column,
            leads.source_table,
            -- A person's number is not told, and may be all that leads there.
            coalesce(leads.key_in_words, quote_literal('of the person')),
            wanted_fact,
            case
                when leads.through_fact_name is null then ''
                else format(
                    'inner join store.%I as other on other.publication_id = fact.publication_id '
                    'and other.council_code = fact.council_code and %s',
                    leads.through_fact_name, leads.fact_join
                )
            end,
            replace(leads.source_table, '.', '__'),
            leads.source_join,
            case when leads.leads_by_person then numbers else '' end
        ) using shown, wanted_council, wanted_keys, known_at;
    end loop;
end
$$;

comment on function mart.source_rows(text, text, text[]) is
'One row is one line of a file from which a row of a fact was made, as known at the publication being read.';

revoke all on function store.previous_publication(date, bigint), store.published_rows(text, bigint) from public;
revoke all on function mart.source_rows(text, text, text[]) from public;
grant execute on function store.previous_publication(date, bigint), store.published_rows(text, bigint)
to carehouse_builder;
grant execute on function mart.source_rows(text, text, text[]) to mart_reader, carehouse_auditor;

reset role;
