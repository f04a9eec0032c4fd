"""Rows that cannot be loaded: kept with their reason, reported to their sender, cleared when they are put right."""

import csv
from datetime import date
from pathlib import Path

import pytest

from ingestion.landing import Outcome, ingest
from ingestion.rejects import WITHHELD, UnknownCode, unknown_codes, waiting
from ingestion.withdrawal import withdraw
from tests import trial
from tests.conftest import Warehouse
from tests.landed import persons

DAY = date(2018, 10, 31)
DAY_BEFORE = date(2018, 10, 30)
WAITING = "select line_number, reason_code from quarantine.rejected_row where cleared_by_batch_id is null order by 1, 2"


def test_a_bad_row_goes_to_quarantine_and_the_rest_load(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons("7,,Ann,Example,31/02/1950,,F,"))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows(
        "select line_number, column_name, reason_code, row_as_sent like '%31/02/1950%' from quarantine.rejected_row"
    ) == [(302, "DATE_OF_BIRTH", "not_a_date", True)]
    assert warehouse.rows("select count(*) from history.mosaic__persons") == [(300,)]
    report = warehouse.settings.home / "rejects/exampleshire/mosaic/persons_2018-10-31.rejects.csv"
    assert (
        report.read_text().splitlines()[1]
        == "persons_2018-10-31.csv,302,DATE_OF_BIRTH,not_a_date,must be a real date written dd/mm/yyyy"
    )
    assert "1950" not in report.read_text()


def test_a_row_that_turns_bad_keeps_its_last_good_version(warehouse: Warehouse) -> None:
    good, bad = "7,,Ann,Example,01/02/1950,,F,", "7,,Ann,Example,01/02/19x0,,F,"
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", persons(good))
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons(bad))
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows("select birth_date, known_to from history.mosaic__persons where person_ref = 7") == [
        (date(1950, 2, 1), None)
    ]


def test_rows_that_share_a_key_and_differ_are_all_rejected(warehouse: Warehouse) -> None:
    rows = (
        "7,,Ann,Example,01/02/1950,,F,",
        "7,,Ann,Other,01/02/1950,,F,",
        "8,,Bob,Example,,,M,",
        "8,,Bob,Example,,,M,",
    )
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons(*rows))
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows("select line_number, reason_code from quarantine.rejected_row order by 1") == [
        (302, "conflicting_key"),
        (303, "conflicting_key"),
        (305, "repeated_row"),
    ]
    assert warehouse.rows("select person_ref from history.mosaic__persons where person_ref < 10") == [(8,)]


def test_a_repaired_delivery_clears_the_rejects_and_the_report(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", persons("7,,Ann,Example,31/02/1950,,F,"))
    ingest(warehouse.settings, business_date=DAY_BEFORE)
    assert [(each.table, each.column, each.reason_code, each.rows) for each in waiting(warehouse.settings)] == [
        ("mosaic.persons", "DATE_OF_BIRTH", "not_a_date", 1)
    ]
    reports = warehouse.settings.home / "rejects/exampleshire/mosaic"
    assert [path.name for path in reports.iterdir()] == ["persons_2018-10-30.rejects.csv"]
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", persons("7,,Ann,Example,28/02/1950,,F,"))
    ingest(warehouse.settings, business_date=DAY)
    assert waiting(warehouse.settings) == []
    assert not list(reports.iterdir())
    # What was sent stays, with the batch that put it right.
    assert warehouse.rows("select cleared_by_batch_id is not null from quarantine.rejected_row") == [(True,)]


def test_a_withdrawn_repair_leaves_the_rejects_waiting_again(warehouse: Warehouse) -> None:
    for day, birth in ((DAY_BEFORE, "31/02/1950"), (DAY, "28/02/1950")):
        warehouse.land(f"exampleshire/mosaic/persons_{day}.csv", persons(f"7,,Ann,Example,{birth},,F,"))
        ingest(warehouse.settings, business_date=day)
    assert waiting(warehouse.settings) == []
    ((batch_id,),) = warehouse.rows("select max(batch_id) from audit.batch")
    withdraw(warehouse.settings, batch_id, "somebody", "the wrong month", DAY)
    assert [each.rows for each in waiting(warehouse.settings)] == [1]


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Things as a change feed, whose key is a number, a text and a date."""
    said = [each for each in trial.columns() if each["name"] != "seen"]
    seen = trial.column("seen", "date", "date", 3, logicalTypeOptions={"format": "dd/MM/yyyy"})
    trial.write_contract(
        tmp_path,
        said=[*said, seen, trial.operation()],
        settings={"delivery": "changes", "operationColumn": "operation"},
    )
    trial.use(monkeypatch, tmp_path)


FEED = "REF,PART,SEEN,NOTE,AMOUNT,STATE,OPERATION"


@pytest.mark.usefixtures("feed")
def test_a_row_of_a_feed_is_cleared_once_its_key_comes_in_good_order(warehouse: Warehouse) -> None:
    bad = ["1,a,05/10/2018,x,1.234,,insert", "2,a,05/10/2018,x,1.234,,insert", "3,a,05/10/2018,\0,1.00,,insert"]
    warehouse.land("council1/trial/things_2018-10-30.csv", trial.extract(*bad, header=FEED))
    ingest(warehouse.settings, business_date=DAY_BEFORE)
    assert warehouse.rows(WAITING) == [(2, "not_a_number"), (3, "not_a_number"), (4, "control_characters")]
    good = ["1, a,05/10/2018,x,1.23,,insert", "3,a,05/10/2018,x,1.00,,update"]
    warehouse.land("council1/trial/things_2018-10-31.csv", trial.extract(*good, header=FEED))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows(WAITING) == [(3, "not_a_number")]


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Things as a full snapshot."""
    trial.write_contract(tmp_path)
    trial.use(monkeypatch, tmp_path)


@pytest.mark.usefixtures("things")
def test_codes_that_are_written_otherwise_are_understood_and_kept_as_sent(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    # A Cyrillic O and e, a digit for a letter, an en dash, a no-break space.
    spelled = ["OPEN", " open ", "\u041ep\u0435n", "0pen", "closed\u2013down", "Closed Down", "on\u00a0hold"]
    rows = [f"{number},a,,,,{code}" for number, code in enumerate(spelled)]
    warehouse.land("council1/trial/things_2018-10-31.csv", trial.extract(*rows, "99,a,,,,Open"))
    ingest(warehouse.settings, business_date=DAY)
    meant = ["Open"] * 4 + ["Closed-Down"] * 2 + ["On Hold", "Open"]
    assert [code for (code,) in warehouse.rows("select state from history.trial__things order by ref")] == meant
    assert warehouse.rows(
        "select line_number, column_name, as_sent, value from quarantine.normalised_value order by 1"
    ) == [(line, "STATE", sent, code) for line, (sent, code) in enumerate(zip(spelled, meant, strict=False), start=2)]
    assert warehouse.rows("select values_normalised, rows_rejected from audit.batch") == [(7, 0)]
    assert "understood 7 codes" in capsys.readouterr().err


@pytest.mark.usefixtures("things")
def test_unknown_codes_are_listed_by_count(warehouse: Warehouse) -> None:
    rows = [f"{number},a,,,,{code}" for number, code in enumerate(["Ended", "Opening", "Open"])]
    with_nul = "9,a,\0,,,Ended"
    warehouse.land("council1/trial/things_2018-10-31.csv", trial.extract(*rows, with_nul))
    ingest(warehouse.settings, business_date=DAY)
    found = [each for each in unknown_codes(warehouse.settings) if isinstance(each, UnknownCode)]
    assert [(each.table, each.column, each.code, each.rows) for each in found] == [
        ("trial.things", "STATE", "Ended", 2),
        ("trial.things", "STATE", "Opening", 1),
    ]


@pytest.mark.usefixtures("things")
def test_what_may_be_a_person_s_is_not_listed_as_a_code(warehouse: Warehouse) -> None:
    personal = ["anna@example.org", "999 000 0018", "07700 900461", "zx1 2aa", "A" * 41]
    rows = [f"{number},a,,,,{code}" for number, code in enumerate([*personal, "ON-HOLD 12", "TYPE 2018/19"])]
    warehouse.land("council1/trial/things_2018-10-31.csv", trial.extract(*rows))
    ingest(warehouse.settings, business_date=DAY)
    listed = {each.code: each.rows for each in unknown_codes(warehouse.settings)}
    assert listed == {WITHHELD: 5, "ON-HOLD 12": 1, "TYPE 2018/19": 1}


@pytest.mark.usefixtures("things")
def test_no_value_of_a_person_leaves_quarantine(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        "Canary,a,Canary,1.00,,Open",
        "2,a,Canary,Canary,,Open",
        "3,a,Canary,1.00,31/02/2018 Canary,Open",
        "4,a,Canary,1.00,,Canary",
        "5,Canary",
        *("6,a,Canary,1.00,,Open", "6,a,Canary,2.00,,Open"),
        *("7,a,Canary,1.00,,Open", "7,a,Canary,1.00,,Open"),
        "8,a,Canary,99999999.00,,Open",
    ]
    for day in (DAY_BEFORE, DAY):
        warehouse.land(f"council1/trial/things_{day}.csv", trial.extract(*rows))
        ingest(warehouse.settings, business_date=day)
    report = (warehouse.settings.home / f"rejects/council1/trial/things_{DAY}.rejects.csv").read_text()
    told = list(csv.DictReader(report.splitlines()))
    assert [(row["file"], int(row["line"]), row["column"], row["reason_code"]) for row in told] == [
        ("things_2018-10-31.csv", 2, "REF", "not_a_whole_number"),
        ("things_2018-10-31.csv", 3, "AMOUNT", "not_a_number"),
        ("things_2018-10-31.csv", 4, "SEEN", "not_a_date"),
        ("things_2018-10-31.csv", 5, "STATE", "unknown_code"),
        ("things_2018-10-31.csv", 6, "", "wrong_field_count"),
        ("things_2018-10-31.csv", 7, "", "conflicting_key"),
        ("things_2018-10-31.csv", 8, "", "conflicting_key"),
        ("things_2018-10-31.csv", 10, "", "repeated_row"),
        ("things_2018-10-31.csv", 11, "AMOUNT", "too_large"),
    ]
    assert all(row["rule"] for row in told)
    said = capsys.readouterr()
    assert "Canary" not in said.err + said.out + report
    assert warehouse.rows("select count(*) from audit.batch as batch where batch::text like '%Canary%'") == [(0,)]
