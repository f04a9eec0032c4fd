-- What is taken away on purpose: holds that forbid it, the register of it, and what must not come back. No row here
-- names a person: a token is a keyed hash under a key of its own, which no pseudonym can be compared with.
set role carehouse_owner;

-- Added later: rows of people who were erased are counted, and not kept.
alter table audit.batch add column if not exists rows_erased bigint not null default 0;
alter table audit.batch drop constraint if exists every_row_is_accounted_for;
alter table audit.batch add constraint every_row_is_accounted_for check (
    state = 'refused'
    or rows_in = rows_new + rows_changed + rows_unchanged + rows_removed + rows_superseded + rows_rejected + rows_erased
);

create table if not exists audit.legal_hold (
    legal_hold_id bigint generated always as identity primary key,
    scope_code text not null check (scope_code in ('person', 'record_class', 'council', 'source')),
    council_code text,
    scope_name text,
    person_token text,
    because text not null check (length(because) >= 10),
    placed_by text not null check (placed_by <> ''),
    login_name text not null default session_user,
    placed_at timestamptz not null default clock_timestamp(),
    constraint a_hold_says_what_it_covers check (
        (scope_code = 'person') = (person_token is not null)
        and (scope_code in ('record_class', 'source')) = (scope_name is not null)
        and (scope_code not in ('person', 'council') or council_code is not null)
    )
);

comment on table audit.legal_hold is
'One row is one order that nothing it covers is deleted, until it is lifted.';

create table if not exists audit.legal_hold_lifted (
    legal_hold_id bigint primary key references audit.legal_hold,
    because text not null check (length(because) >= 10),
    lifted_by text not null check (lifted_by <> ''),
    login_name text not null default session_user,
    lifted_at timestamptz not null default clock_timestamp()
);

comment on table audit.legal_hold_lifted is 'One row is the end of one legal hold: who lifted it, and why.';

create table if not exists audit.erasure (
    erasure_id uuid primary key,
    kind text not null check (kind in ('erasure', 'retention')),
    council_code text not null,
    key_check text not null,
    as_of_date date,
    because text not null check (length(because) >= 10),
    decided_by text not null check (decided_by <> ''),
    login_name text not null default session_user,
    registered_at timestamptz not null default clock_timestamp()
);

comment on table audit.erasure is
'One row is one decision that what is kept of a person, or of people whose time is up, is taken away.';

create table if not exists audit.erasure_step (
    erasure_id uuid not null references audit.erasure,
    step_code text not null check (
        step_code in ('history', 'quarantine', 'store', 'files', 'verified')
    ),
    object_name text not null,
    rows_deleted bigint not null default 0,
    rows_severed bigint not null default 0,
    done_at timestamptz not null default clock_timestamp()
);

comment on table audit.erasure_step is
'One row is what one erasure did to one table or kind of file, counted; the step verified ends it.';

create table if not exists audit.suppressed_value (
    council_code text not null,
    domain_name text not null,
    token text not null,
    erasure_id uuid not null references audit.erasure,
    primary key (council_code, domain_name, token, erasure_id)
);

comment on table audit.suppressed_value is
'One row is the token of one number that must not come back: a person''s, or of something that was theirs.';

create table if not exists audit.suppression_ended (
    council_code text not null,
    domain_name text not null,
    token text not null,
    as_of_date date not null,
    ended_at timestamptz not null default clock_timestamp(),
    primary key (council_code, domain_name, token, as_of_date)
);

comment on table audit.suppression_ended is
'One row is one person whose time was up and who came back: what was suppressed up to a day is so no longer.';

create table if not exists audit.redacted_file (
    erasure_id uuid not null references audit.erasure,
    file_path text not null,
    action_code text not null check (action_code in ('redacted', 'removed')),
    sha256_before text not null,
    sha256_after text,
    lines_blanked bigint not null,
    redacted_at timestamptz not null default clock_timestamp()
);

comment on table audit.redacted_file is
'One row is one kept file out of which lines were taken; the manifest names it by the hash it came with.';

create table if not exists audit.retention_run (
    retention_run_id uuid not null,
    class_name text not null,
    council_code text not null,
    table_name text not null,
    as_of_date date not null,
    cut_off_date date not null,
    no_build_before_date date,
    rows_removed bigint not null,
    ran_at timestamptz not null default clock_timestamp(),
    login_name text not null default session_user,
    primary key (retention_run_id, class_name, council_code, table_name)
);

comment on table audit.retention_run is
'One row is what one run of the retention rules took out of one table, and up to which as-at date builds are refused.';

grant select on
audit.legal_hold, audit.legal_hold_lifted, audit.erasure, audit.erasure_step, audit.suppressed_value,
audit.suppression_ended,
audit.redacted_file, audit.retention_run
to carehouse_loader, carehouse_housekeeper, carehouse_auditor;
grant insert on
audit.legal_hold, audit.legal_hold_lifted, audit.erasure, audit.erasure_step, audit.suppressed_value,
audit.suppression_ended,
audit.redacted_file, audit.retention_run
to carehouse_loader;
grant select on audit.retention_run to carehouse_builder;

-- The candidate and the tables beneath it hold what was known of people when they were built.
create or replace function store.discard_candidate() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    discarded record;
begin
    for discarded in
        select relation.relnamespace::regnamespace::text as schema_name, relation.relname
        from pg_class as relation
        where relation.relnamespace in ('candidate'::regnamespace, 'intermediate'::regnamespace)
            and relation.relkind = 'r'
    loop
        execute format('drop table %I.%I cascade', discarded.schema_name, discarded.relname);
    end loop;
    update audit.build set state = 'failed'
    where state = 'built' and build_id = (select max(build_id) from audit.build)
        and build_id not in (select publication_id from store.publication);
end
$$;

comment on function store.discard_candidate() is
'Drops what was built and is not published, so that it must be built anew.';

-- Every table of every publication kept, with the columns by which it may lead to a person.
create or replace function store.columns_that_lead_to_people()
returns table (home text, mart_name text, column_name text, is_number boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select
        part.relnamespace::regnamespace::text,
        part.relname::text,
        held.attname::text,
        held.atttypid = 'bigint'::regtype
    from pg_class as part
    inner join pg_attribute as held on part.oid = held.attrelid and held.attnum > 0 and not held.attisdropped
    where
        part.relkind = 'r'
        and part.relnamespace::regnamespace::text ~ '^publication_[0-9]+$'
        and (
            (held.atttypid = 'text'::regtype and held.attname ~ '_(id|ref|key|keys)$')
            or (held.atttypid = 'bigint'::regtype and held.attname ~ '_ref$')
        )
        and held.attname not in ('publication_id', 'measure_id')
        and exists (
            select from pg_attribute as council
            where council.attrelid = part.oid and council.attname = 'council_code' and not council.attisdropped
        )
    order by 1, 2, held.attnum
$$;

comment on function store.columns_that_lead_to_people() is
'One row is one column of a published table that may hold a pseudonym, a number of the care system, or a key of them.';

create or replace function store.values_that_lead_to_people(wanted_home text, wanted_mart text, wanted_column text)
returns setof text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (
        select from store.columns_that_lead_to_people() as allowed
        where (allowed.home, allowed.mart_name, allowed.column_name) = (wanted_home, wanted_mart, wanted_column)
    ) then
        perform store.refuse(format('%s.%s.%s does not lead to people', wanted_home, wanted_mart, wanted_column));
    end if;
    return query execute format(
        'select distinct %I::text from %I.%I where %I is not null', wanted_column, wanted_home, wanted_mart, wanted_column
    );
end
$$;

-- Writes other values in place of those given, so that no row is lost and no total moves. A row is meant when one of
-- the named columns holds one of the values, or a key in which it is a part: keys are values joined by hyphens. Of such
-- a row every column that may lead to a person is gone through. Gives how many rows were meant.
create or replace function store.replace_values(
    wanted_council text,
    wanted_home text,
    wanted_mart text,
    told_by_columns text[],
    told_by_values text[],
    replacements jsonb
)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    assignments text;
    conditions text;
    touched bigint;
begin
    select
        string_agg(
            case
                when held_column.is_number
                    then format('%1$I = coalesce(($3 ->> held.%1$I::text)::bigint, held.%1$I)', held_column.column_name)
                else
                    format(
                        '%1$I = coalesce((select string_agg(coalesce($3 ->> parts.part, parts.part), ''-'' '
                        'order by parts.place) from unnest(string_to_array(held.%1$I, ''-'')) with ordinality '
                        'as parts (part, place)), held.%1$I)',
                        held_column.column_name
                    )
            end,
            ', '
        ),
        string_agg(
            case
                when held_column.is_number then format('held.%I::text = any($2)', held_column.column_name)
                else format('string_to_array(held.%I, ''-'') && $2', held_column.column_name)
            end,
            ' or '
        ) filter (where held_column.column_name = any(told_by_columns))
    into assignments, conditions
    from store.columns_that_lead_to_people() as held_column
    where held_column.home = wanted_home and held_column.mart_name = wanted_mart;
    if conditions is null then
        return 0;
    end if;
    execute format(
        'update %I.%I as held set %s where held.council_code = $1 and (%s)',
        wanted_home, wanted_mart, assignments, conditions
    ) using wanted_council, told_by_values, replacements;
    get diagnostics touched = row_count;
    if touched > 0 then
        -- Statistics quote values.
        execute format('analyze %I.%I', wanted_home, wanted_mart);
    end if;
    return touched;
end
$$;

comment on function store.replace_values(text, text, text, text[], text[], jsonb) is
'Writes other values in place of those given in rows of a published table; gives how many rows were meant.';

revoke all on function
store.discard_candidate(), store.columns_that_lead_to_people(), store.values_that_lead_to_people(text, text, text),
store.replace_values(text, text, text, text[], text[], jsonb)
from public;
grant execute on function
store.discard_candidate(), store.columns_that_lead_to_people(), store.values_that_lead_to_people(text, text, text),
store.replace_values(text, text, text, text[], text[], jsonb)
to carehouse_loader;
grant usage on schema store to carehouse_loader;

reset role;
