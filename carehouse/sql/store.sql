-- Publication: candidate tables become partitions of store.*; moving one pointer row shows them, all at once.
--
-- Attaching and pointing are two transactions. A statement that was planned before the attach does not know the
-- new partitions; had the pointer moved with the attach, it could run with the new pointer and see no rows.
-- Publication therefore attaches, lets the statements then running finish planning, and only then points.
set role carehouse_owner;

create table if not exists store.publication (
    publication_id bigint primary key references audit.build,
    gate_run_id bigint not null references audit.gate_run,
    as_at_date date not null,
    code_version text not null,
    attached_at timestamptz not null default clock_timestamp(),
    published_at timestamptz,
    published_by text,
    pruned_at timestamptz
);

-- Added later: empty for publications of earlier versions, which did not say.
alter table store.publication add column if not exists asked_by text;

comment on table store.publication is
'One row is one set of marts that passed the gate; it is readable from published_at until pruned_at.';

create table if not exists store.pointer (
    only_row boolean primary key default true check (only_row),
    publication_id bigint not null references store.publication
);

comment on table store.pointer is 'The one row that says which publication the marts show.';

create table if not exists store.pointer_move (
    moved_at timestamptz not null default clock_timestamp(),
    from_publication_id bigint,
    to_publication_id bigint not null,
    moved_by text not null,
    reason text not null
);

alter table store.pointer_move add column if not exists asked_by text;

comment on table store.pointer_move is 'One row is one publication or rollback: who showed readers what, and when.';

create or replace function store.refuse(message text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '%', message using errcode = 'CH001';
end
$$;

-- A transaction keeps to the publication it reads first. Its locks on the marts let it go on with plans that do not
-- know partitions attached since, so with the pointer of a later moment they would find nothing. What it keeps to is a
-- setting that ends with the transaction, and a lock: publishing waits for readers who have not chosen yet, and pruning
-- passes over what has been chosen.
create or replace function store.current_publication() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    pinned text := coalesce(current_setting('carehouse.publication', true), '');
    chosen text := current_setting('carehouse.chosen', true);
    wanted bigint;
begin
    if chosen like 'pinned %' and pinned = split_part(chosen, ' ', 2) then
        return pinned::bigint;
    elsif chosen like 'current %' and pinned = '' then
        return split_part(chosen, ' ', 2)::bigint;
    end if;
    if pinned = '' then
        select publication_id into wanted from store.pointer;
        if wanted is null then
            return null;
        end if;
    else
        select publication_id into wanted
        from store.publication
        where publication_id::text = pinned and published_at is not null and pruned_at is null;
    end if;
    -- The catalogue is asked too, lest what was dropped by hand be shown as empty.
    if wanted is null
        or not pg_try_advisory_xact_lock_shared(hashtext('carehouse reading'), wanted::integer)
        or to_regnamespace(format('publication_%s', wanted)) is null
    then
        raise exception 'publication % is not kept; see mart.publication', coalesce(wanted::text, pinned)
        using errcode = 'CH002';
    end if;
    perform set_config(
        'carehouse.chosen', format('%s %s', case when pinned = '' then 'current' else 'pinned' end, wanted), true
    );
    return wanted;
end
$$;

comment on function store.current_publication() is
'The publication this transaction reads: the one its session pinned with `set carehouse.publication`, else the one '
'that was current when the transaction first read a mart.';

-- Readers who have opened a mart and not yet chosen what to read: their plans may be older than a partition. Who has
-- looked at the list of publications alone, or dumps the tables, has no such plan.
create or replace function store.undecided_readers()
returns table (reading text, process_id integer, user_name text, reading_since timestamptz)
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    select distinct
        reader.virtualtransaction,
        reader.pid,
        session.usename::text,
        session.xact_start
    from pg_locks as reader
    inner join pg_class as opened on reader.relation = opened.oid
    left join pg_stat_activity as session on reader.pid = session.pid
    where
        reader.database = (select oid from pg_database where datname = current_database())
        and opened.relnamespace in ('mart'::regnamespace, 'mart_open'::regnamespace)
        and reader.pid <> pg_backend_pid()
        and exists (
            select from pg_locks as planned
            inner join pg_class as parted on planned.relation = parted.oid
            where
                planned.virtualtransaction = reader.virtualtransaction
                and planned.database = reader.database
                and parted.relnamespace = 'store'::regnamespace
                and parted.relkind = 'p'
        )
        and not exists (
            select from pg_locks as choice
            where
                choice.virtualtransaction = reader.virtualtransaction
                and choice.locktype = 'advisory'
                and choice.classid::bigint = hashtext('carehouse reading')::bigint & 4294967295
        )
$$;

comment on function store.undecided_readers() is
'One row is one transaction that has opened a mart and not yet chosen a publication: the pointer waits for it.';

-- Marks a publication as no longer kept, unless it is shown or being read; says whether it is. Who began before may
-- choose it yet, and finds it whole: pruning waits for him.
create or replace function store.give_up(unwanted_publication bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtext('carehouse publication'));
    if exists (select from store.publication where publication_id = unwanted_publication and pruned_at is not null) then
        return true;
    end if;
    if exists (select from store.pointer where publication_id = unwanted_publication)
        or exists (
            select from pg_locks as choice
            where
                choice.locktype = 'advisory'
                and choice.database = (select oid from pg_database where datname = current_database())
                and choice.classid::bigint = hashtext('carehouse reading')::bigint & 4294967295
                and choice.objid::bigint = unwanted_publication
        )
    then
        return false;
    end if;
    update store.publication set pruned_at = clock_timestamp() where publication_id = unwanted_publication;
    return true;
end
$$;

comment on function store.give_up(bigint) is
'Marks a publication as no longer kept, unless readers are shown it or read it; says whether it is given up.';

create or replace function store.refuse_unpublishable(wanted_build bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    build_state text;
    last_verdict text;
    judged_last bigint;
    decided record;
begin
    select state into build_state from audit.build where build_id = wanted_build;
    if build_state is null then
        perform store.refuse(format('there is no build %s', wanted_build));
    elsif build_state <> 'built' then
        perform store.refuse(format('build %s is %s, not built', wanted_build, build_state));
    elsif exists (select from audit.build where build_id > wanted_build) then
        perform store.refuse(format('a later build has begun, so the candidate is no longer build %s', wanted_build));
    end if;
    select verdict, gate_run_id into last_verdict, judged_last
    from audit.gate_run where build_id = wanted_build order by gate_run_id desc limit 1;
    -- A decision is about one judgement: judged anew, the build needs a new one.
    select decision_code, decided_by, because into decided
    from audit.gate_decision where gate_run_id = judged_last order by gate_decision_id desc limit 1;
    if last_verdict is null then
        perform store.refuse(format('the gate has not judged build %s', wanted_build));
    elsif decided.decision_code = 'held' then
        perform store.refuse(format('build %s is held by %s: %s', wanted_build, decided.decided_by, decided.because));
    elsif last_verdict <> 'passed' and decided.decision_code is distinct from 'released' then
        perform store.refuse(format('the gate refused build %s', wanted_build));
    end if;
end
$$;

-- Where readers find a mart: an open one apart from the others, for readers of its own.
create or replace function store.shown_as(mart_name text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case
        when mart_name like 'open\_%' then format('mart_open.%I', substr(mart_name, length('open_') + 1))
        else format('mart.%I', mart_name)
    end
$$;

create or replace function store.show(mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    store_table regclass := format('store.%I', mart_name)::regclass;
    column_list text;
    shown_columns integer;
begin
    select string_agg(quote_ident(attname), ', ' order by attnum), count(*)
    into column_list, shown_columns
    from pg_attribute where attrelid = store_table and attnum > 0 and not attisdropped;
    -- Replacing a view waits for its readers, so it is done only when a column was added.
    if shown_columns = (
        select count(*) from pg_attribute where attrelid = to_regclass(store.shown_as(mart_name)) and attnum > 0
    ) then
        return;
    end if;
    -- The choice is asked for in a query of its own: once a statement, where it would be asked for on every row.
    execute format(
        'create or replace view %s as select %s from %s where publication_id = (select store.current_publication())',
        store.shown_as(mart_name), column_list, store_table
    );
    execute format(
        'grant select on %s to %I, carehouse_auditor',
        store.shown_as(mart_name),
        case when mart_name like 'open\_%' then 'mart_open_reader' else 'mart_reader' end
    );
end
$$;

-- The words about a mart come with its newest tables; readers are not kept waiting by them.
create or replace function store.describe(mart_name text, described_by regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    mart_view regclass := store.shown_as(mart_name)::regclass;
    described record;
begin
    if obj_description(mart_view, 'pg_class') is distinct from obj_description(described_by, 'pg_class') then
        execute format('comment on view %s is %L', mart_view, obj_description(described_by, 'pg_class'));
    end if;
    for described in
        select shown.attname, col_description(described_by, offered.attnum) as words
        from pg_attribute as shown
        inner join pg_attribute as offered on shown.attname = offered.attname and offered.attrelid = described_by
        where shown.attrelid = mart_view and shown.attnum > 0 and not shown.attisdropped
            and col_description(mart_view, shown.attnum) is distinct from col_description(described_by, offered.attnum)
    loop
        execute format('comment on column %s.%I is %L', mart_view, described.attname, described.words);
    end loop;
end
$$;

-- Makes the tables of a build that passed the gate into partitions which no reader is shown yet.
create or replace function store.attach(wanted_build bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    mart_name text;
    home text := format('publication_%s', wanted_build);
begin
    perform pg_advisory_xact_lock(hashtext('carehouse publication'));
    if exists (select from store.publication where publication_id = wanted_build) then
        return;
    end if;
    -- A build that begins now would replace the tables under our hands.
    if not pg_try_advisory_xact_lock_shared(hashtext('carehouse build')) then
        perform store.refuse(format('a build is running, so the candidate is no longer build %s', wanted_build));
    end if;
    perform store.refuse_unpublishable(wanted_build);
    for mart_name in
        select published.relname from pg_class as published
        where published.relnamespace = 'store'::regnamespace and published.relkind = 'p'
            and to_regclass(store.shown_as(published.relname)) is not null
            and to_regclass(format('candidate.%I', published.relname)) is null
    loop
        perform store.retire(mart_name);
    end loop;
    execute format('create schema %I authorization carehouse_shelf', home);
    for mart_name in
        select relname from pg_class
        where relnamespace = 'candidate'::regnamespace and relkind = 'r' and relpersistence = 'p'
        order by relname
    loop
        perform store.adopt_columns(mart_name);
        execute format('alter table candidate.%I owner to carehouse_owner', mart_name);
        execute format('revoke all on candidate.%I from carehouse_gate', mart_name);
        execute format('alter table candidate.%I set schema %I', mart_name, home);
        execute format('alter table %I.%I owner to carehouse_shelf', home, mart_name);
        execute format(
            'alter table store.%I attach partition %I.%I for values in (%s)', mart_name, home, mart_name, wanted_build
        );
        perform store.show(mart_name);
        perform store.describe(mart_name, format('%I.%I', home, mart_name)::regclass);
    end loop;
    insert into store.publication (publication_id, gate_run_id, as_at_date, code_version)
    select wanted_build, max(judged.gate_run_id), made.as_at_date, made.code_version
    from audit.build as made
    inner join audit.gate_run as judged on made.build_id = judged.build_id
    where made.build_id = wanted_build
    group by made.as_at_date, made.code_version;
end
$$;

comment on function store.attach(bigint) is
'Makes the tables of a build that passed the gate partitions of the store, which no reader is shown yet.';

-- Before `asked_by` there was one of two arguments; both side by side could not be told apart.
drop function if exists store.point(bigint, text);

-- Shows readers another publication: the moment of publishing, and of rolling back.
create or replace function store.point(wanted_publication bigint, reason text, asked_by text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    shown_before bigint;
    mart_name text;
begin
    perform pg_advisory_xact_lock(hashtext('carehouse publication'));
    if not exists (select from store.publication where publication_id = wanted_publication and pruned_at is null) then
        perform store.refuse(format('publication %s is not kept', wanted_publication));
    end if;
    select publication_id into shown_before from store.pointer;
    if shown_before is not distinct from wanted_publication then
        return;
    end if;
    -- Sessions forget what they know of these tables and make their plans anew: one that looked at the list of
    -- partitions at the very moment when it grew may have kept the shorter list.
    for mart_name in
        select relname from pg_class where relnamespace = 'store'::regnamespace and relkind = 'p' order by relname
    loop
        execute format('alter table store.%I alter column publication_id set statistics -1', mart_name);
    end loop;
    insert into store.pointer (publication_id) values (wanted_publication)
    on conflict (only_row) do update set publication_id = excluded.publication_id;
    update store.publication
    set published_at = clock_timestamp(), published_by = session_user, asked_by = point.asked_by
    where publication_id = wanted_publication and published_at is null;
    insert into store.pointer_move (from_publication_id, to_publication_id, moved_by, reason, asked_by)
    values (shown_before, wanted_publication, session_user, reason, point.asked_by);
end
$$;

comment on function store.point(bigint, text, text) is
'Shows readers another kept publication, in one step: publishing and rolling back are both this.';

revoke all on all functions in schema store from public;
grant execute on function store.current_publication() to mart_reader, mart_open_reader, carehouse_auditor;
grant execute on function
store.attach(bigint), store.point(bigint, text, text), store.undecided_readers() to carehouse_publisher;
grant execute on function store.give_up(bigint) to carehouse_housekeeper;
grant select on store.publication, store.pointer, store.pointer_move
to carehouse_publisher, carehouse_housekeeper, carehouse_auditor;

reset role;
