-- Whose rows a reader is shown: of the councils whose groups the one who asks is in, and what is for all.
set role carehouse_owner;

-- The role that was taken on with `set role`, else the login: the same inside a function that runs as its owner.
create or replace function store.who_asks() returns name
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case current_setting('role') when 'none' then session_user else current_setting('role')::name end
$$;

comment on function store.who_asks() is 'The role in whose name the session asks.';

create or replace function store.sees_every_council() returns boolean
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select pg_has_role(store.who_asks(), 'council_all', 'usage')
$$;

comment on function store.sees_every_council() is 'Whether whoever asks sees every council, also those to come.';

create or replace function store.councils_seen() returns text[]
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select array_agg(substr(rolname, length('council_') + 1))
    from pg_roles
    where starts_with(rolname, 'council_') and pg_has_role(store.who_asks(), oid, 'usage')
$$;

comment on function store.councils_seen() is
'The codes of the councils that whoever asks was granted by name; null when there is none.';

-- For views and functions over the ledger or history. Marts are filtered by their tables.
create or replace function store.shows_council(code text) returns boolean
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select store.sees_every_council() or coalesce(code = any(store.councils_seen()), false)
$$;

comment on function store.shows_council(text) is 'Whether whoever asks may see what is about that council.';

-- Every mart is filtered by its table in the store, so that no view or function over it can forget to. In a policy of a
-- table PostgreSQL looks at nothing else before, except by operators that cannot tell what they were given: a condition
-- of the reader's own never meets a row of another council, not even to fail on it. The subqueries are answered once a
-- statement. Forced, since views and functions read as the owner.
create or replace function store.filter_by_council(mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (
        select from pg_policy
        where polrelid = format('store.%I', mart_name)::regclass and polname = 'councils_seen'
    ) then
        return;
    end if;
    execute format(
        'create policy councils_seen on store.%I for select using ('
        'council_code = ''all'' or (select store.sees_every_council()) '
        'or council_code = any((select store.councils_seen())::text[]))',
        mart_name
    );
    execute format('alter table store.%I enable row level security', mart_name);
    execute format('alter table store.%I force row level security', mart_name);
end
$$;

comment on function store.filter_by_council(text) is
'Makes a mart show each reader its councils only. Does nothing when it does already.';

-- A mart says whose rows it holds by a constraint, which dbt makes from its `meta`: it is for all, or of councils.
create or replace function store.refuse_without_council(mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    candidate_table regclass := format('candidate.%I', mart_name)::regclass;
begin
    if not exists (
        select from pg_attribute
        where attrelid = candidate_table and attname = 'council_code' and atttypid = 'text'::regtype and attnotnull
    ) then
        perform store.refuse(format(
            'mart.%s has no council_code, a text that is never empty, so readers of one council could not be kept '
            'from the rows of another', mart_name
        ));
    elsif not exists (
        select from pg_constraint
        where conrelid = candidate_table and contype = 'c' and convalidated and pg_get_constraintdef(oid) in (
            'CHECK ((council_code = ''all''::text))', 'CHECK ((council_code <> ''all''::text))'
        )
    ) then
        perform store.refuse(format(
            'mart.%s does not say by a constraint whether its rows are of councils or for all', mart_name
        ));
    end if;
end
$$;

comment on function store.refuse_without_council(text) is
'Refuses a candidate whose rows do not say of which council they are.';

revoke all on function
store.who_asks(), store.sees_every_council(), store.councils_seen(), store.shows_council(text),
store.filter_by_council(text), store.refuse_without_council(text)
from public;
grant execute on function
store.sees_every_council(), store.councils_seen(), store.shows_council(text)
to mart_reader, mart_open_reader, carehouse_builder, carehouse_auditor;

-- Marts of earlier versions.
grant create on schema store to carehouse_shelf;

do $$
declare
    found record;
begin
    for found in
        select part.oid::regclass as name, part.relname, part.relkind
        from pg_class as part
        inner join pg_namespace as home on part.relnamespace = home.oid
        where
            (
                home.nspname = 'store' and part.relkind = 'p'
                or home.nspname ~ '^publication_\d+$' and part.relkind = 'r'
            )
            and part.relowner = 'carehouse_owner'::regrole
    loop
        if found.relkind = 'p' then
            perform store.filter_by_council(found.relname);
        end if;
        execute format(
            'grant create on schema %I to carehouse_shelf',
            (select relnamespace::regnamespace from pg_class where oid = found.name)
        );
        execute format('alter table %s owner to carehouse_shelf', found.name);
    end loop;
    for found in
        select nspname from pg_namespace where nspname ~ '^publication_\d+$' and nspowner = 'carehouse_owner'::regrole
    loop
        execute format('alter schema %I owner to carehouse_shelf', found.nspname);
    end loop;
end
$$;

revoke create on schema store from carehouse_shelf;

reset role;
