-- Versions of the pseudonym key, by which a wrong key is told, and links from pseudonyms that were retired with one.
set role carehouse_owner;

create table if not exists audit.pseudonym_key (
    key_version integer primary key check (key_version > 0),
    check_value text not null unique,
    made_at timestamptz not null default clock_timestamp(),
    made_by text not null check (made_by <> ''),
    because text not null check (because <> ''),
    login_name text not null default session_user
);

comment on table audit.pseudonym_key is
'One row is one version of the key that people''s pseudonyms are made with: never the key, only what tells it.';

create table if not exists audit.pseudonym_link (
    council_code text not null,
    retired_person_id text not null,
    key_version integer not null,
    person_id text not null,
    primary key (council_code, retired_person_id)
);

create index if not exists pseudonym_link_by_person on audit.pseudonym_link (council_code, person_id);

comment on table audit.pseudonym_link is
'One row is one pseudonym that was retired with its key version, and the one under which that person is known now.';

create table if not exists audit.pseudonym_links_forgotten (
    through_key_version integer not null,
    row_count bigint not null,
    forgotten_at timestamptz not null default clock_timestamp(),
    forgotten_by text not null check (forgotten_by <> ''),
    because text not null check (because <> ''),
    login_name text not null default session_user
);

comment on table audit.pseudonym_links_forgotten is
'One row is one decision that nobody shall be led from pseudonyms of old key versions to today''s any more.';

-- Which version a build's pseudonyms are of: a publication keeps those it was published with.
alter table audit.build add column if not exists pseudonym_key_version integer;

grant select on audit.pseudonym_key, audit.pseudonym_link, audit.pseudonym_links_forgotten to carehouse_auditor;
grant select, insert on audit.pseudonym_key, audit.pseudonym_links_forgotten to carehouse_loader;
grant select, insert, delete on audit.pseudonym_link to carehouse_loader;
grant update (person_id) on audit.pseudonym_link to carehouse_loader;
grant select on audit.pseudonym_key to carehouse_builder;

reset role;
