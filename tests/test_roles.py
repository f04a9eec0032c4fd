"""Each role may do its own step and no other; the reader reads the marts and nothing else."""

import psycopg

from carehouse.database import Role, connect
from tests.conftest import Warehouse
from tests.test_publication import published

READABLE = {
    Role.READER: {"mart"},
    Role.OPEN_READER: {"mart_open"},
    Role.PUBLISHER: {"audit", "store"},
    Role.GATE: {"audit"},
}


def test_readers_can_read_every_mart_and_no_other_table(warehouse: Warehouse) -> None:
    published(warehouse)
    warehouse.land_examples()
    assert warehouse.command("ingest", "--business-date", "2018-10-31").returncode == 0
    relations = warehouse.rows(
        """
        select role_name, nspname, relname, has_schema_privilege(role_name, nspname, 'usage')
            and has_table_privilege(role_name, c.oid, 'select'),
            has_table_privilege(role_name, c.oid, 'insert, update, delete, truncate')
        from pg_class as c
        inner join pg_namespace as n on c.relnamespace = n.oid
        cross join unnest(array['carehouse_reader', 'carehouse_open_reader']) as role_name
        where relkind in ('r', 'v', 'p', 'm', 'f') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        """
    )
    assert len(relations) > 30
    for role_name, schema, relation, may_read, may_write in relations:
        assert not may_write, f"{role_name} may write {schema}.{relation}"
        assert may_read == (schema in READABLE[Role(role_name)]), f"{role_name} {schema}.{relation}"


BEYOND_THEIR_STEP = [
    (Role.READER, "select * from history.mosaic__persons"),
    (Role.READER, "select * from store.kpi_a"),
    (Role.READER, "select store.point(1, 'mine')"),
    (Role.READER, "select store.published_rows('kpi_values', 1)"),
    (Role.OPEN_READER, "select * from mart.kpi_a"),
    (Role.OPEN_READER, "select store.open_figures_before()"),
    (Role.READER, "select * from mart_open.publication"),
    (Role.OPEN_READER, "select mart.source_rows('fct_reviews', 'county', array['1'])"),
    (Role.READER, "create table mart.mine (a int)"),
    (Role.READER, "create temporary table mine (a int)"),
    (Role.LOADER, "insert into audit.gate_run (build_id, verdict) values (1, 'passed')"),
    (Role.LOADER, "delete from audit.batch"),
    (Role.BUILDER, "insert into audit.gate_run (build_id, verdict) values (1, 'passed')"),
    (Role.BUILDER, "select * from store.kpi_a"),
    (Role.BUILDER, "update history.programme__statuses set status_code = 'On Target'"),
    (Role.GATE, "select * from history.mosaic__persons"),
    (Role.GATE, "update audit.gate_run set verdict = 'passed'"),
    (Role.GATE, "insert into candidate.kpi_c values (1)"),
    (Role.PUBLISHER, "update store.pointer set publication_id = 1"),
    (Role.PUBLISHER, "insert into audit.gate_run (build_id, verdict) values (1, 'passed')"),
    (Role.PUBLISHER, "select * from history.mosaic__persons"),
    (Role.AUDITOR, "delete from audit.gate_run"),
    (Role.AUDITOR, "update quarantine.rejected_row set cleared_by_batch_id = 1"),
    *(
        (role, f"select * from quarantine.{table}")
        for role in (Role.READER, Role.OPEN_READER, Role.BUILDER, Role.GATE, Role.PUBLISHER)
        for table in ("rejected_row", "normalised_value")
    ),
]


def test_no_role_reaches_beyond_its_step(warehouse: Warehouse) -> None:
    published(warehouse)
    assert warehouse.command("ingest").returncode == 0
    with warehouse.admin() as admin:
        admin.execute("create table candidate.kpi_c (a int); alter table candidate.kpi_c owner to carehouse_builder")
    allowed = []
    for role, statement in BEYOND_THEIR_STEP:
        with connect(warehouse.settings, role, autocommit=True) as session:
            if role in (Role.READER, Role.OPEN_READER):
                # The reader could switch this off, so the grants must hold without it.
                session.execute("set default_transaction_read_only = off")
            try:
                session.execute(statement)  # type: ignore[arg-type]
                allowed.append((role, statement))
            except psycopg.errors.InsufficientPrivilege:
                pass
    assert allowed == []


def test_the_auditor_reads_what_was_rejected(warehouse: Warehouse) -> None:
    for table in ("rejected_row", "normalised_value"):
        assert warehouse.rows(f"select count(*) from quarantine.{table}", Role.AUDITOR) == [(0,)]


def test_passwords_are_asked_for_and_never_stored_plain(warehouse: Warehouse) -> None:
    stored = warehouse.rows("select rolpassword from pg_authid where rolname like 'carehouse_%' and rolcanlogin")
    assert len(stored) == 9
    assert all(password.startswith("SCRAM-SHA-256$") for (password,) in stored)
    assert (
        warehouse.rows(
            "select rolcanlogin, rolpassword from pg_authid where rolname in ('mart_reader', 'mart_open_reader')"
        )
        == [(False, None)] * 2
    )
