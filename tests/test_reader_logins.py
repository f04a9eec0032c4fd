"""One login for each person or gateway: made, limited, granted councils, taken away; every change in the ledger."""

from collections.abc import Iterator

import psycopg
import pytest

from carehouse import readers
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from tests.conftest import Warehouse
from tests.login import fresh_name, login, signed_in
from tests.test_publication import published

KNOWN = {"county", "exampleshire"}
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "1h",
    "idle_session_timeout": "12h",
}


@pytest.fixture
def somebody(warehouse: Warehouse) -> Iterator[str]:
    """A name that is free, and is free again afterwards."""
    name = fresh_name()
    yield name
    readers.remove(warehouse.settings, name, "a test")


def ledger(warehouse: Warehouse, name: str) -> list[tuple[str, str | None, str]]:
    return warehouse.rows(
        "select change_code, group_name, decided_by from audit.reader_change "
        f"where reader_name = '{name}' order by reader_change_id",
        Role.AUDITOR,
    )


def test_a_reader_is_added_by_the_command_and_again_changes_nothing(warehouse: Warehouse, somebody: str) -> None:
    published(warehouse)
    arguments = ("reader", "add", somebody, "--council", "county", "--by", "A. Officer")
    added = warehouse.command(*arguments)
    assert added.returncode == 0, added.stderr
    password = added.stdout.strip()
    with signed_in(warehouse, somebody, password) as session:
        assert session.execute("select count(*) from mart.kpi_a").fetchone() == (1,)
        for name, limit in LIMITS.items():
            assert session.execute(f"show {name}").fetchone() == (limit,), name
    again = warehouse.command(*arguments)
    assert (again.returncode, password in again.stdout) == (0, False)
    signed_in(warehouse, somebody, password).close()
    assert ledger(warehouse, somebody) == [
        ("added", "mart_reader", "A. Officer"),
        ("granted", "council_county", "A. Officer"),
    ]
    listed = warehouse.command("reader", "list").stdout
    assert [line.split() for line in listed.splitlines() if line.startswith(somebody)] == [
        [somebody, "mart_reader", "county", "10"]
    ]


def test_settings_of_a_group_help_nobody_in_it(warehouse: Warehouse) -> None:
    """Why each login has its own."""
    with login(warehouse, ["county"]) as name, warehouse.admin() as admin:
        admin.execute("alter role mart_reader set statement_timeout = '7s'")
        admin.execute(f"alter role {name} reset statement_timeout")
        try:
            with signed_in(warehouse, name) as session:
                assert session.execute("show statement_timeout").fetchone() == ("0",)
        finally:
            admin.execute("alter role mart_reader reset all")


def test_a_reader_cannot_write_whatever_it_sets(warehouse: Warehouse) -> None:
    published(warehouse)
    with login(warehouse, ["county"]) as name, signed_in(warehouse, name) as session:
        session.execute("set default_transaction_read_only = off")
        for statement in (
            "create table mart.mine (a int)",
            "create temporary table mine (a int)",
            "create function pg_temp.mine() returns int language sql as 'select 1'",
            "insert into mart.kpi_a (value) values (1)",
            "select pg_advisory_lock(hashtext('carehouse publication'))",
            "select lo_create(0)",
            "do $$ begin end $$",
            f"grant council_all to {name}",
            "create role mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)  # type: ignore[arg-type]


def test_connections_are_limited(warehouse: Warehouse) -> None:
    with (
        login(warehouse, ["county"]) as name,
        signed_in(warehouse, name),
        signed_in(warehouse, name),
        pytest.raises(psycopg.OperationalError, match="too many connections"),
    ):
        signed_in(warehouse, name)


def test_an_open_reader_is_in_the_other_group_alone(warehouse: Warehouse, somebody: str) -> None:
    published(warehouse)
    password = readers.add(warehouse.settings, somebody, ["county"], KNOWN, "a test", is_open=True)
    with signed_in(warehouse, somebody, password) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("select * from mart.kpi_a")
    with pytest.raises(CarehouseError, match="is a member of mart_open_reader already"):
        readers.add(warehouse.settings, somebody, ["county"], KNOWN, "a test")


def test_councils_are_granted_and_revoked_at_once(warehouse: Warehouse) -> None:
    with login(warehouse, ["county"]) as name, signed_in(warehouse, name) as session:

        def seen() -> tuple[bool, ...]:
            # As a view over the ledger asks; readers themselves do not reach the schema.
            with warehouse.admin() as admin:
                admin.execute("create or replace view mart.seen as select store.shows_council('exampleshire') as seen")
                admin.execute(f"grant select on mart.seen to {name}")
                row = session.execute("select seen from mart.seen").fetchone()
                admin.execute("drop view mart.seen")
            return row or ()

        assert seen() == (False,)
        readers.add(warehouse.settings, name, ["exampleshire"], KNOWN, "a test")
        assert seen() == (True,)
        readers.revoke(warehouse.settings, name, ["exampleshire"], "a test")
        assert seen() == (False,)
        with pytest.raises(CarehouseError, match="was not granted exampleshire, but county"):
            readers.revoke(warehouse.settings, name, ["county", "exampleshire"], "a test")
        readers.add(warehouse.settings, name, ["all"], KNOWN, "a test")
        assert seen() == (True,)


def test_a_password_is_replaced_and_kept_nowhere(warehouse: Warehouse, somebody: str) -> None:
    first = readers.add(warehouse.settings, somebody, ["county"], KNOWN, "a test") or ""
    second = readers.change_password(warehouse.settings, somebody, "a test")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        signed_in(warehouse, somebody, first)
    signed_in(warehouse, somebody, second).close()
    ((kept,),) = warehouse.rows(f"select rolpassword from pg_authid where rolname = '{somebody}'")
    assert kept.startswith("SCRAM-SHA-256$")
    assert second not in kept
    for file in warehouse.settings.home.rglob("*"):
        assert not file.is_file() or second not in file.read_text(errors="ignore"), file


def test_a_removed_reader_is_out_at_once(warehouse: Warehouse, somebody: str) -> None:
    password = readers.add(warehouse.settings, somebody, ["county"], KNOWN, "a test")
    session = signed_in(warehouse, somebody, password)
    readers.remove(warehouse.settings, somebody, "B. Officer")
    with pytest.raises(psycopg.OperationalError):
        session.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        signed_in(warehouse, somebody, password)
    assert ledger(warehouse, somebody)[-1] == ("removed", None, "B. Officer")
    readers.remove(warehouse.settings, somebody, "B. Officer")
    assert len(ledger(warehouse, somebody)) == 3


def test_one_who_was_given_more_is_not_removed_half(warehouse: Warehouse, somebody: str) -> None:
    password = readers.add(warehouse.settings, somebody, ["county"], KNOWN, "a test")
    with warehouse.admin() as admin:
        admin.execute(f"grant usage on schema public to {somebody}")
        with pytest.raises(CarehouseError, match=f"drop owned by {somebody}"):
            readers.remove(warehouse.settings, somebody, "a test")
        signed_in(warehouse, somebody, password).close()
        admin.execute(f"drop owned by {somebody}")


NOT_NAMES = ("Jane", "jane doe", "1jane", "j", "carehouse_x", "mart_reader", "council_county", "pg_x", "public", 'x"y')


@pytest.mark.any_server
def test_a_name_must_be_fit_for_a_login(warehouse: Warehouse) -> None:
    for name in NOT_NAMES:
        with pytest.raises(CarehouseError, match="A reader's name"):
            readers.add(warehouse.settings, name, ["county"], KNOWN, "a test")


@pytest.mark.any_server
def test_what_is_no_reader_is_left_alone(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    for refused in (
        lambda: readers.add(settings, "postgres", ["county"], KNOWN, "a test"),
        lambda: readers.remove(settings, "postgres", "a test"),
        lambda: readers.change_password(settings, "carehouse_reader", "a test"),
        lambda: readers.remove(settings, "carehouse_loader", "a test"),
        lambda: readers.revoke(settings, "nobody_at_all", ["county"], "a test"),
    ):
        with pytest.raises(CarehouseError, match="no reader"):
            refused()


@pytest.mark.any_server
def test_a_council_must_be_named_and_known(warehouse: Warehouse) -> None:
    with pytest.raises(CarehouseError, match="at least one council"):
        readers.add(warehouse.settings, fresh_name(), [], KNOWN, "a test")
    with pytest.raises(CarehouseError, match="no council nowhere; there are: county, exampleshire"):
        readers.add(warehouse.settings, fresh_name(), ["county", "nowhere"], KNOWN, "a test")


@pytest.mark.any_server
def test_nobody_rewrites_who_was_let_in(warehouse: Warehouse) -> None:
    for role in Role:
        if role is not Role.ADMIN:
            for statement in ("delete from audit.reader_change", "update audit.reader_change set decided_by = 'x'"):
                with (
                    connect(warehouse.settings, role, autocommit=True) as session,
                    pytest.raises(psycopg.errors.InsufficientPrivilege),
                ):
                    session.execute("set default_transaction_read_only = off")
                    session.execute(statement)
