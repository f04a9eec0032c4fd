"""Nobody may do more than is declared in privileges.yaml, nor less: every object, role and privilege of a night."""

import re

import pytest

from carehouse.database import Role
from carehouse.settings import PROJECT
from tests.conftest import Night, Warehouse
from tests.login import login
from tests.privileges import declared, differences, unused, walked
from tests.test_publication import published

DEFINERS_ARE_PINNED = """
    select oid::regprocedure::text from pg_proc
    where
        pronamespace in ('store'::regnamespace, 'mart'::regnamespace, 'audit'::regnamespace)
        and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)
"""


def test_every_role_may_do_what_is_declared_and_nothing_else(night: Night) -> None:
    said = declared()
    assert walked(night.warehouse, said) > 40_000
    assert differences(night.warehouse, said) == []
    assert unused(night.warehouse, said) == []


def test_functions_look_where_nobody_can_put_another(night: Night) -> None:
    assert night.warehouse.rows(DEFINERS_ARE_PINNED) == []


def test_a_view_without_a_council_is_declared(night: Night) -> None:
    found = night.warehouse.rows(
        """
        select format('%I.%I', nspname, relname) from pg_class as shown
        inner join pg_namespace as home on shown.relnamespace = home.oid
        where nspname in ('mart', 'mart_open') and not exists (
            select from pg_attribute where attrelid = shown.oid and attname = 'council_code'
        )
        """
    )
    assert {name for (name,) in found} == set(declared()["without_council"])


def test_no_role_may_change_a_row_of_the_ledger_but_where_it_is_declared() -> None:
    ledger = {name: line for name, line in declared()["relations"].items() if name.startswith("audit.")}
    # Links between pseudonyms are no record of what was done: they go with the person, or when nobody is to be led.
    del ledger["audit.pseudonym_link"]
    assert len(ledger) > 8
    for name, line in ledger.items():
        assert not {"update", "delete", "truncate"} & line.keys(), name
    moving = {name: line["columns"] for name, line in ledger.items() if "columns" in line}
    assert {name for name, columns in moving.items() if any("update" in rights for rights in columns.values())} == {
        "audit.batch",
        "audit.build",
    }
    # And nobody who logs in owns it.
    assert {line["owner"] for line in ledger.values()} == {"carehouse_owner"}
    assert not [role for role, about in declared()["roles"].items() if "carehouse_owner" in about.get("inherits", [])]


FAULTS = {
    "create table audit.note (a int)": "relations audit.note: no line is about it",
    "create schema other": "schemas other: no line is about it",
    "grant delete on audit.batch to carehouse_loader": "relations audit.batch: carehouse_loader may delete",
    "grant truncate on audit.gate_run to public": "relations audit.gate_run: public may truncate",
    "grant update (message) on audit.batch to carehouse_loader": (
        "relations audit.batch: carehouse_loader may update message"
    ),
    "revoke update (withdrawn_on) on audit.batch from carehouse_loader": (
        "relations audit.batch: carehouse_loader may not update withdrawn_on"
    ),
    "revoke select on mart.kpi_a from mart_reader": "relations mart.kpi_a: carehouse_reader may not select",
    "grant select on store.kpi_a to mart_reader": "relations store.kpi_a: mart_reader may select",
    "grant select on mart.kpi_a to carehouse_gate with grant option": (
        "relations mart.kpi_a: carehouse_gate may SELECT and pass it on"
    ),
    "alter table mart.kpi_a owner to carehouse_builder": "relations mart.kpi_a: is owned by carehouse_builder, not carehouse_owner",
    "create function store.mine() returns int language sql as 'select 1'": "functions store.mine: public may execute",
    "alter function store.describe(text, regclass) security definer": (
        "functions store.describe: runs with the rights of its owner"
    ),
    "grant execute on function store.attach(bigint) to carehouse_builder": (
        "functions store.attach: carehouse_builder may execute"
    ),
    "create type mart.kind as enum ('a')": "types mart.kind: no line is about it",
    "grant usage on sequence audit.build_build_id_seq to carehouse_gate": (
        "sequences audit.build_build_id_seq: carehouse_gate may usage"
    ),
    "grant create on schema mart to mart_reader": "schemas mart: mart_reader may create",
    "grant usage on language plpgsql to public": "languages plpgsql: mart_reader may usage",
    "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$": (
        "database {database}: mart_reader may temporary"
    ),
    "alter default privileges for role carehouse_owner in schema mart grant select on tables to carehouse_gate": (
        "defaults carehouse_owner mart table: select carehouse_gate is not what is declared"
    ),
    "alter default privileges for role carehouse_owner grant execute on functions to public": (
        "defaults carehouse_owner * function: everybody may use what it makes"
    ),
    "grant execute on function pg_advisory_lock(bigint) to public": (
        "server_functions pg_advisory_lock: mart_reader may execute"
    ),
    "create role carehouse_other": "roles carehouse_other: no line is about it",
    "grant carehouse_owner to carehouse_housekeeper": "roles carehouse_housekeeper: inherits carehouse_owner, carehouse_shelf",
    "grant carehouse_auditor to {reader}": "roles {reader}: is a reader and inherits carehouse_auditor, council_county, mart_reader",
    "alter role mart_reader login": "roles mart_reader: login is True, not False, or it may make roles or databases",
}


@pytest.mark.any_server
def test_whatever_differs_is_found(warehouse: Warehouse) -> None:
    """Each fault alone, made and taken back in one transaction of the same session that looks for it."""
    published(warehouse)
    said = declared()
    before = set(differences(warehouse, said))
    missed = []
    with login(warehouse, ["county"]) as reader, warehouse.admin() as admin:
        names = {"reader": reader, "database": admin.info.dbname}
        for statement, told in FAULTS.items():
            with admin.transaction(force_rollback=True):
                admin.execute(statement.replace("{reader}", reader))
                found = set(differences(_Within(warehouse, admin), said)) - before  # type: ignore[arg-type]
            if told.format(**names) not in found:
                missed.append((statement, sorted(found)))
    assert missed == []


def test_the_page_of_roles_names_each_role(night: Night) -> None:
    page = (PROJECT / "docs" / "reference" / "roles.md").read_text()
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == set(declared()["roles"])
    assert {str(role) for role in Role} - {"admin"} < set(declared()["roles"])


class _Within:
    """A warehouse asked within one session, so that what is not committed is seen."""

    def __init__(self, warehouse: Warehouse, session: object) -> None:
        self.settings, self._session = warehouse.settings, session

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self._session.execute(query).fetchall()  # type: ignore[attr-defined, no-any-return]
