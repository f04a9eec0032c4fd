-- People and gateways who read: one login each, in one group of readers and in the groups of its councils.
set role carehouse_owner;

create table if not exists audit.reader_change (
    reader_change_id bigint generated always as identity primary key,
    reader_name text not null,
    change_code text not null check (
        change_code in ('added', 'granted', 'revoked', 'password_changed', 'removed')
    ),
    group_name text,
    decided_by text not null check (decided_by <> ''),
    login_name text not null default session_user,
    changed_at timestamptz not null default clock_timestamp(),
    constraint a_grant_names_its_group check ((group_name is null) = (change_code in ('password_changed', 'removed')))
);

comment on table audit.reader_change is
'One row is one change to who may read: a login added or removed, a council granted or revoked, a new password.';

grant select on audit.reader_change to carehouse_auditor;

-- PostgreSQL applies the settings of the login alone, never those of the groups it is in: each login gets its own. They
-- keep a reader from harm by accident. A session may change them; what it may not do at all, it was not granted.
create or replace function store.limit_reader(login_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('alter role %I set default_transaction_read_only = on', login_name);
    execute format('alter role %I set statement_timeout = ''10min''', login_name);
    execute format('alter role %I set idle_in_transaction_session_timeout = ''1h''', login_name);
    execute format('alter role %I set idle_session_timeout = ''12h''', login_name);
end
$$;

comment on function store.limit_reader(text) is
'Makes the sessions of a login read-only, with limits on how long it may compute and be idle.';

revoke all on function store.limit_reader(text) from public;

reset role;

select store.limit_reader(login_name) as limited
from (values ('carehouse_reader'), ('carehouse_open_reader')) as installation (login_name);
