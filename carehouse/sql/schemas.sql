-- Where things live, whose they are, and who may look.
revoke all on schema public from public;

grant carehouse_loader to current_user;
grant carehouse_builder to current_user;
grant carehouse_shelf to current_user;

-- PostgreSQL lets everybody call a new function and use a new type, unless told otherwise for each who makes them.
alter default privileges for role carehouse_owner revoke execute on functions from public;
alter default privileges for role carehouse_owner revoke usage on types from public;
alter default privileges for role carehouse_shelf revoke execute on functions from public;
alter default privileges for role carehouse_shelf revoke usage on types from public;
alter default privileges for role carehouse_loader revoke execute on functions from public;
alter default privileges for role carehouse_loader revoke usage on types from public;
alter default privileges for role carehouse_builder revoke execute on functions from public;
alter default privileges for role carehouse_builder revoke usage on types from public;

create schema if not exists audit authorization carehouse_owner;
create schema if not exists history authorization carehouse_loader;
create schema if not exists quarantine authorization carehouse_loader;
create schema if not exists reference authorization carehouse_builder;
create schema if not exists staging authorization carehouse_builder;
create schema if not exists intermediate authorization carehouse_builder;
create schema if not exists candidate authorization carehouse_builder;
create schema if not exists store authorization carehouse_owner;
create schema if not exists mart authorization carehouse_owner;
create schema if not exists mart_open authorization carehouse_owner;

grant usage on schema audit to
carehouse_loader, carehouse_builder, carehouse_gate, carehouse_publisher, carehouse_approver, carehouse_auditor;
grant usage on schema history to carehouse_builder;
grant usage on schema candidate, reference to carehouse_gate;
grant usage on schema store to carehouse_builder, carehouse_publisher, carehouse_housekeeper, carehouse_auditor;
grant usage on schema mart to mart_reader, carehouse_auditor;
grant usage on schema mart_open to mart_open_reader, carehouse_auditor;
grant usage on schema quarantine to carehouse_auditor;

alter default privileges for role carehouse_loader in schema history
grant select on tables to carehouse_builder;
alter default privileges for role carehouse_builder in schema candidate
grant select on tables to carehouse_gate;
alter default privileges for role carehouse_builder in schema reference
grant select on tables to carehouse_gate;
