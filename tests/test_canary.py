"""One person is planted in a real night's extracts, and is found in nothing that anybody is shown."""

import io
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

import pytest

from carehouse.database import Role, connect
from carehouse.explain import explain
from carehouse.explained import print_explanation, write_lines
from carehouse.export import export_marts
from carehouse.report import print_kpis, write_report
from carehouse.settings import Settings
from carehouse.wanted_figure import Wanted
from ingestion.contract import load_contracts
from ingestion.landing import ingest
from ingestion.rejects import WITHHELD, unknown_codes, waiting
from tests import canary
from tests.canary import files_that_hold, relations_that_hold
from tests.conftest import Night, Warehouse

# Where she belongs: what was sent is kept there, and only the loader, the builder or the auditor may look.
KEPT = {
    "history.mosaic__persons",
    "history.mosaic__addresses",
    "history.mosaic__workers",
    "history.mosaic__person_references",
    "history.ledger__lines",
    "quarantine.rejected_row",
}


@pytest.fixture(scope="module")
def sought(night: Night) -> str:
    """What finds her."""
    return canary.pattern(night.extracts)


def test_she_is_in_history_and_quarantine_and_in_no_other_table_or_view(night: Night, sought: str) -> None:
    with night.warehouse.admin() as admin:
        holding = relations_that_hold(admin, sought)
    # A search that finds nothing anywhere would prove nothing.
    assert holding >= KEPT
    assert holding == KEPT


@pytest.mark.any_server
def test_nobody_who_reads_marts_may_read_statistics_of_where_she_is(night: Night, sought: str) -> None:
    for role in (Role.READER, Role.OPEN_READER, Role.GATE, Role.PUBLISHER, Role.AUDITOR, Role.HOUSEKEEPER):
        with connect(night.warehouse.settings, role, autocommit=True) as asking:
            shown = asking.execute("select count(*) from pg_stats where schemaname = 'history'").fetchone()
        assert shown == (0,), role


def test_she_is_in_no_file_but_what_was_sent(night: Night, server: Settings, sought: str) -> None:
    home = night.warehouse.settings.home
    files = [path for path in home.rglob("*") if "archive" not in path.relative_to(home).parts]
    names = {path.name for path in files}
    assert {"manifest.json", "run_results.json"} <= names
    assert any(name.endswith(".rejects.csv") for name in names)
    assert sum(path.suffix == ".sql" for path in files) > 300
    assert files_that_hold(files, sought) == []
    assert files_that_hold(server.home.rglob("*.log"), sought) == []
    archived = list((home / "archive").rglob("*"))
    assert len(files_that_hold(archived, sought)) >= 5
    for folder in ("archive", "rejects", "dbt"):
        assert (home / folder).stat().st_mode & 0o077 == 0, folder


def test_she_is_in_nothing_that_is_said_reported_explained_or_exported(
    night: Night, sought: str, tmp_path: Path
) -> None:
    settings = night.warehouse.settings
    said = io.StringIO()
    said.write(night.said)
    with redirect_stdout(said), redirect_stderr(said):
        print_kpis(settings)
        write_report(settings, tmp_path / "report.html")
        export_marts(settings, tmp_path / "exports")
    for measure, period_type in (("K001", "month_end"), ("K007", "year_to_date"), ("K008", "year_to_date")):
        explained = explain(settings, Wanted(measure, date(2018, 10, 1), canary.COUNCIL, period_type))
        assert explained.contributions
        print_explanation(explained, said)
        write_lines(explained, said)
    said.write(repr(waiting(settings)) + repr(unknown_codes(settings)))
    assert WITHHELD in said.getvalue()
    assert "rejected" in said.getvalue()
    (tmp_path / "said.txt").write_text(said.getvalue())
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 60
    assert files_that_hold(written, sought) == []


def test_columns_that_identify_end_where_they_are_needed(night: Night) -> None:
    """No column that a contract calls personal goes further than the models that must join or reckon with it."""
    personal = {
        column.name
        for contract in load_contracts()
        for column in contract.columns
        if column.classification == "personal"
    }
    assert len(personal) > 12
    with night.warehouse.admin() as admin:
        columns = admin.execute(
            """
            select nspname, relname, attname
            from pg_attribute
            inner join pg_class on attrelid = pg_class.oid
            inner join pg_namespace on relnamespace = pg_namespace.oid
            where
                attnum > 0 and not attisdropped and relkind in ('r', 'v', 'p')
                and (nspname in ('staging', 'intermediate', 'candidate', 'store', 'mart', 'mart_open') or nspname like 'publication%')
            """
        ).fetchall()
    found: dict[str, set[str]] = {}
    for schema, _, column in columns:
        if column in personal:
            found.setdefault(schema, set()).add(column)
    numbers = {"person_ref", "carer_person_ref", "cared_for_person_ref", "merged_person_ref", "master_person_ref"}
    assert found.pop("staging") <= {*numbers, "birth_date", "death_date", "carer_ref"}
    assert found.pop("intermediate") <= {"person_ref", "master_person_ref", "birth_date", "death_date", "carer_ref"}
    assert found == {}


REFUSED = {
    "without a header": "{row}\n{row}\n",
    "with her as a header": "PERSON_ID,NHS_ID,{row}\n",
    "with nothing but bad rows": "{header}\n{row}\n{row}\n",
    "cut inside quotes": '{header}\n1,,"Ann,Example,01/02/1950,,F,\n{row}\n',
}


@pytest.mark.any_server
@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_file_tells_nobody_who_is_in_it(warehouse: Warehouse, how: str) -> None:
    header = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE"
    row = f"{canary.CANARY_SURNAME},9990000018,{canary.FORENAME},{canary.E_MAIL},x,{canary.CANARY_TELEPHONE},y,ZX1 2AA"
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", REFUSED[how].format(header=header, row=row))
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        outcome = ingest(warehouse.settings, business_date=date(2018, 10, 31))
    assert outcome.refused == 1 and "REFUSED" in said.getvalue()
    look = f"{canary.FORENAME}|{canary.CANARY_SURNAME}|9990000018|{canary.CANARY_TELEPHONE}|ZX1 2AA"
    with warehouse.admin() as admin:
        assert relations_that_hold(admin, look) == set()
    home = warehouse.settings.home
    (tmp := home / "said.txt").write_text(said.getvalue())
    holding = files_that_hold(home.rglob("*"), look)
    assert tmp not in holding
    assert [path.suffix for path in holding] == [".csv"]
    assert "refused" in holding[0].parts
