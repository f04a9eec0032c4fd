"""What arrives together is loaded together; one table may arrive written in several ways."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from ingestion.contract import ContractError, load_contracts
from ingestion.landing import Outcome, ingest
from tests import trial
from tests.conftest import Warehouse

DAY = date(2018, 10, 31)
LOADED = "select table_name, state, rows_in from audit.batch order by batch_id"
GOOD, BAD = trial.extract("1,a,,1.00,,Open"), trial.extract("1,a,,1.00,,Open").replace("NOTE", "NOTES")


def land(warehouse: Warehouse, table: str, text: str | bytes, day: date = DAY) -> None:
    warehouse.land(f"council1/trial/{table}_{day}.csv", text)


def left(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in warehouse.settings.landing.rglob("*") if path.is_file())


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tables of one delivery set."""
    for table in ("things", "others"):
        trial.write_contract(tmp_path, table, settings={"deliverySet": "both"})
    trial.use(monkeypatch, tmp_path)


@pytest.mark.usefixtures("pair")
def test_a_set_that_is_not_complete_waits_and_then_loads(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    land(warehouse, "things", GOOD)
    # The other table's file of another day does not make it complete.
    land(warehouse, "others", GOOD, date(2018, 10, 30))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(waiting=2)
    assert "it lacks trial.others" in capsys.readouterr().err
    land(warehouse, "others", GOOD)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=2, waiting=1)
    assert sorted(warehouse.rows(LOADED)) == [("others", "accepted", 1), ("things", "accepted", 1)]
    # One of the set may be delivered again alone.
    land(warehouse, "things", trial.extract("1,a,,2.00,,Open"))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1, waiting=1)


@pytest.mark.usefixtures("pair")
def test_one_bad_file_of_a_set_keeps_all_of_it_out(warehouse: Warehouse) -> None:
    land(warehouse, "things", BAD)
    land(warehouse, "others", GOOD)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(refused=1, waiting=1)
    assert warehouse.rows("select table_name, state, reason_code from audit.batch") == [
        ("things", "refused", "missing_column")
    ]
    assert warehouse.rows("select count(*) from history.trial__others") == [(0,)]
    assert left(warehouse) == [f"others_{DAY}.csv"]
    land(warehouse, "things", GOOD)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=2)


def workbook(**sheets: list[list[Any]]) -> bytes:
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True})
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for number, row in enumerate([trial.HEADER.split(","), *rows]):
            page.write_row(number, 0, row)
    book.close()
    return written.getvalue()


def test_the_sheets_of_a_workbook_are_one_delivery(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table, sheet in (("things", "Things"), ("others", "Others")):
        server = {
            "path": "{council}/trial/book_{date}.xlsx",
            "format": "xlsx",
            "customProperties": [{"property": "sheet", "value": sheet}],
        }
        trial.write_contract(tmp_path, table, server={**server, "delimiter": None, "encoding": None})
    trial.use(monkeypatch, tmp_path)
    row = [1, "a", "", 1.5, "", "Open"]
    name = "council1/trial/book_2018-10-31.xlsx"
    warehouse.land(name, workbook(Things=[row]))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(refused=1)
    assert warehouse.rows("select count(*) from history.trial__things") == [(0,)]
    warehouse.land(name, workbook(Things=[row], Others=[row, [2, *row[1:]]]))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert sorted(warehouse.rows(LOADED + " offset 1")) == [("others", "accepted", 2), ("things", "accepted", 1)]
    assert left(warehouse) == []


def older(**said: Any) -> list[dict[str, Any]]:
    """The columns as an older release has them: other headers, no state."""
    columns = [column for column in trial.columns() if column["name"] != "state"]
    return [{**column, "physicalName": f"OLD_{column['physicalName']}", **said} for column in columns]


OLD_HEADER = "OLD_REF,OLD_PART,OLD_NOTE,OLD_AMOUNT,OLD_SEEN"


def test_an_older_release_is_read_by_its_date_and_a_council_may_write_otherwise(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.write_contract(tmp_path, settings={"extractsFrom": "2018-10-31"})
    trial.write_contract(tmp_path, said=older(), settings={"extractsUntil": "2018-10-31"}, edition="v1")
    semicolons = {"path": "council2/trial/things_{date}.csv", "delimiter": ";"}
    trial.write_contract(tmp_path, server=semicolons, edition="council2")
    trial.use(monkeypatch, tmp_path)
    land(warehouse, "things", trial.extract("1,a,,1.00,", header=OLD_HEADER), date(2018, 10, 30))
    land(warehouse, "things", GOOD)
    warehouse.land("council2/trial/things_2018-10-31.csv", GOOD.replace(",", ";"))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=3)
    assert warehouse.rows(
        "select council_code, amount::text, state, known_to from history.trial__things order by 1, batch_id"
    ) == [("council1", "1.00", None, DAY), ("council1", "1.00", "Open", None), ("council2", "1.00", "Open", None)]


OTHER_MEANINGS: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"said": [*older()[:-1], trial.column("seen")]}, "seen has another kind"),
    "a column that is not kept": ({"said": [*older(), trial.column("colour")]}, "has no column colour"),
    "another key": ({"said": [trial.column("ref", "integer", "integer", 1)]}, "lacks part"),
    "another way of delivery": (
        {
            "said": [*older(), trial.operation()],
            "settings": {"delivery": "changes", "operationColumn": "operation"},
        },
        "operation",
    ),
}


@pytest.mark.parametrize("case", OTHER_MEANINGS)
def test_an_edition_that_means_something_else_is_refused_when_it_is_read(case: str, tmp_path: Path) -> None:
    said, words = OTHER_MEANINGS[case]
    trial.write_contract(tmp_path)
    trial.write_contract(tmp_path, **{"edition": "v1", **said})
    with pytest.raises(ContractError, match=words):
        load_contracts(tmp_path)


def test_amounts_are_read_as_accounts_are_written(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = trial.columns()
    columns[3]["customProperties"] = [{"property": "numberFormat", "value": "accounting"}]
    trial.write_contract(tmp_path, said=columns)
    trial.use(monkeypatch, tmp_path)
    written = {
        "£1,234.50": "1234.50",
        "(£1,234.50)": "-1234.50",
        "-£12": "-12.00",
        "1234567.89": "1234567.89",
        "(0.01)": "-0.01",
    }
    wrong = ["1,23.00", "£", "(12", "12)", "--1", "(-1)", "1.234", "€1", "1,2345"]
    rows = [f'{number},a,,"{text}",,Open' for number, text in enumerate([*written, *wrong])]
    land(warehouse, "things", trial.extract(*rows))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert [amount for (amount,) in warehouse.rows("select amount::text from history.trial__things order by ref")] == [
        *written.values()
    ]
    assert warehouse.rows("select distinct reason_code, count(*) from quarantine.rejected_row group by 1") == [
        ("not_a_number", len(wrong))
    ]


def test_savings_in_brackets_are_turned_round_and_keep_their_unit(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = trial.columns()
    columns[3]["customProperties"] = [
        {"property": "extractUnit", "value": "GBP_m"},
        {"property": "numberFormat", "value": "accounting"},
        {"property": "signConvention", "value": "reversed"},
    ]
    trial.write_contract(tmp_path, said=columns)
    trial.use(monkeypatch, tmp_path)
    written = {"(1.315)": "1315000.00", "0.12": "-120000.00", "(£0.00000001)": "0.01", "0": "0.00"}
    rows = [f'{number},a,,"{text}",,Open' for number, text in enumerate(written)]
    land(warehouse, "things", trial.extract(*rows))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert [amount for (amount,) in warehouse.rows("select amount::text from history.trial__things order by ref")] == [
        *written.values()
    ]
