-- What readers may rely on, held at the moment of publication: plain types, and marts that only grow.
set role carehouse_owner;

-- Types that every reader's tool understands. A number in .NET holds 28 digits: one that has more, or may have, is an
-- error in Power BI's driver and not a figure.
create or replace function store.is_plain(type_id oid, type_modifier integer) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select
        type_id in (
            'text'::regtype, 'bigint'::regtype, 'integer'::regtype, 'date'::regtype, 'timestamptz'::regtype,
            'boolean'::regtype
        )
        or type_id = 'numeric'::regtype and type_modifier >= 0 and ((type_modifier - 4) >> 16) & 65535 <= 28
$$;

comment on function store.is_plain(oid, integer) is
'Whether a published column may have this type: text, bigint, integer, date, timestamptz, boolean, or numeric of at '
'most 28 digits.';

create or replace function store.key_of(keyed regclass) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select string_agg(part.attname, ', ' order by part.attname)
    from pg_index as key
    inner join pg_attribute as part on key.indrelid = part.attrelid and part.attnum = any(key.indkey)
    where key.indrelid = keyed and key.indisprimary
$$;

comment on function store.key_of(regclass) is 'The columns that tell one row of a table from another, in words.';

-- A version of a mart goes when the day announced in its comment is over and it is built no longer. Its tables stay for
-- as long as their publications are kept, and its name is not given to anything else.
create or replace function store.retire(mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $$
declare
    last_day date;
begin
    select max(deprecation_date) into last_day
    from mart.data_dictionary as described where described.mart_name = retire.mart_name;
    if last_day is null then
        perform store.refuse(format('mart.%s is published but was not built', mart_name));
    elsif last_day >= current_date then
        perform store.refuse(format('mart.%s was not built and is to stay until %s', mart_name, last_day));
    end if;
    execute format('drop view %s', store.shown_as(mart_name));
exception
    when lock_not_available then
        perform store.refuse(format('mart.%s is to go, and is being read; publish again later', mart_name));
    when dependent_objects_still_exist then
        perform store.refuse(format('mart.%s is to go, and something of yours is made from it', mart_name));
end
$$;

comment on function store.retire(text) is
'Takes the view of a mart away whose announced last day is over; refuses any other.';

-- Readers hold contracts on the published columns: they may be added to, never taken away or changed.
create or replace function store.adopt_columns(mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    candidate_table regclass := format('candidate.%I', mart_name)::regclass;
    store_table regclass := to_regclass(format('store.%I', mart_name));
    newest_table regclass;
    difference record;
begin
    perform store.refuse_without_council(mart_name);
    for difference in
        select attname as column_name, format_type(atttypid, atttypmod) as offered_type
        from pg_attribute
        where attrelid = candidate_table and attnum > 0 and not attisdropped
            and not store.is_plain(atttypid, atttypmod)
        order by attnum
    loop
        perform store.refuse(format(
            'column %s of mart.%s is %s, which not every reader''s tool understands; use text, bigint, integer, date, '
            'timestamptz, boolean, or numeric of at most 28 digits',
            difference.column_name, mart_name, difference.offered_type
        ));
    end loop;
    if store_table is null then
        execute format(
            'create table store.%I (like %s) partition by list (publication_id)',
            mart_name, candidate_table
        );
        perform store.filter_by_council(mart_name);
        grant create on schema store to carehouse_shelf;
        execute format('alter table store.%I owner to carehouse_shelf', mart_name);
        revoke create on schema store from carehouse_shelf;
        return;
    end if;
    for difference in
        select
            coalesce(published.attname, offered.attname) as column_name,
            published.attname is null as is_new,
            format_type(offered.atttypid, offered.atttypmod) as offered_type,
            format_type(published.atttypid, published.atttypmod) as published_type
        from
            (select * from pg_attribute where attrelid = store_table and attnum > 0 and not attisdropped) as published
        full join
            (select * from pg_attribute where attrelid = candidate_table and attnum > 0 and not attisdropped)
                as offered
            on published.attname = offered.attname
        where
            (published.atttypid, published.atttypmod) is distinct from (offered.atttypid, offered.atttypmod)
        order by offered.attnum
    loop
        if not difference.is_new then
            perform store.refuse(format(
                'mart.%s breaks its contract with readers: column %s was %s and would be %s',
                mart_name, difference.column_name, difference.published_type,
                coalesce(difference.offered_type, 'gone')
            ));
        end if;
        execute format(
            'alter table %s add column %I %s', store_table, difference.column_name, difference.offered_type
        );
    end loop;
    -- The newest partition is asked too: the parent cannot promise what its older partitions do not hold.
    select part.oid into newest_table
    from pg_inherits as inherits
    inner join pg_class as part on inherits.inhrelid = part.oid
    inner join pg_namespace as home on part.relnamespace = home.oid
    where inherits.inhparent = store_table
    order by substring(home.nspname from '\d+$')::bigint desc
    limit 1;
    for difference in
        select distinct offered.attname as column_name
        from pg_attribute as published
        inner join pg_attribute as offered
            on offered.attrelid = candidate_table and published.attname = offered.attname
        where published.attrelid in (store_table, newest_table) and published.attnum > 0
            and published.attnotnull and not offered.attnotnull
    loop
        perform store.refuse(format(
            'mart.%s breaks its contract with readers: column %s was never empty and now may be',
            mart_name, difference.column_name
        ));
    end loop;
    if store.key_of(newest_table) <> coalesce(store.key_of(candidate_table), '') then
        perform store.refuse(format(
            'mart.%s breaks its contract with readers: one row was told by (%s) and would be by (%s)',
            mart_name, store.key_of(newest_table), store.key_of(candidate_table)
        ));
    end if;
end
$$;

reset role;
