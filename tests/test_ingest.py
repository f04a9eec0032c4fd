"""Ingestion through the front door: files in, history, quarantine and manifest out."""

from datetime import date
from pathlib import Path

import pytest

from ingestion.landing import Outcome, ingest
from tests import trial
from tests.conftest import Warehouse
from tests.landed import LEDGER, PERSONS, persons

DAY = date(2018, 10, 31)


def test_every_row_is_loaded_once_and_counted(warehouse: Warehouse) -> None:
    warehouse.land_examples()
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=6)
    counted = warehouse.rows("select table_name, rows_in, rows_new, rows_rejected from audit.batch order by 1")
    assert {row[0]: row[1:] for row in counted}["statuses"] == (7, 7, 0)
    assert warehouse.rows("select count(*), sum(target_gbp) from history.programme__savings_targets") == [
        (10, 22_175_000)
    ]


def test_the_same_bytes_again_change_nothing(warehouse: Warehouse) -> None:
    warehouse.land_examples()
    ingest(warehouse.settings, business_date=DAY)
    before = warehouse.rows("select * from history.programme__statuses order by programme_ref")
    warehouse.land_examples()
    assert ingest(warehouse.settings, business_date=date(2018, 11, 1)) == Outcome(unchanged=6)
    assert warehouse.rows("select * from history.programme__statuses order by programme_ref") == before
    assert not [path for path in warehouse.settings.landing.rglob("*") if path.is_file()]


def test_a_snapshot_writes_only_what_differs(warehouse: Warehouse) -> None:
    first = persons("1,,Ann,Example,01/02/1950,,F,", "2,,Bob,Example,01/02/1951,,M,")
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", first)
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    second = persons("1,,Ann,Example,01/02/1950,09/10/2018,F,", "3,,Cy,Example,01/02/1952,,M,")
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", second)
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows(
        "select rows_in, rows_new, rows_changed, rows_unchanged, rows_closed from audit.batch "
        "order by batch_id desc limit 1"
    ) == [(302, 1, 1, 300, 1)]
    versions = warehouse.rows(
        "select person_ref, known_from, known_to from history.mosaic__persons where person_ref < 10 order by 1, 2"
    )
    the_day_before = date(2018, 10, 30)
    assert versions == [(1, the_day_before, DAY), (1, DAY, None), (2, the_day_before, DAY), (3, DAY, None)]


def test_a_change_that_is_taken_back_is_taken_back_here_too(warehouse: Warehouse) -> None:
    asked, withdrawn = persons("1,,Ann,Example,,,F,"), persons("1,,Ann,Example,,,M,")
    for day, extract in ((29, asked), (30, withdrawn), (31, asked)):
        warehouse.land(f"exampleshire/mosaic/persons_2018-10-{day}.csv", extract)
        assert ingest(warehouse.settings, business_date=date(2018, 10, day)) == Outcome(accepted=1)
    assert warehouse.rows(
        "select gender_code from history.mosaic__persons where person_ref = 1 order by known_from"
    ) == [
        ("F",),
        ("M",),
        ("F",),
    ]
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", withdrawn)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(unchanged=1)


def test_a_column_that_a_contract_gains_is_added_to_history(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = [column for column in trial.columns() if column["name"] != "state"]
    for day, columns in ((date(2018, 10, 30), fewer), (DAY, trial.columns())):
        trial.write_contract(tmp_path, said=columns)
        trial.use(monkeypatch, tmp_path)
        warehouse.land(f"council1/trial/things_{day}.csv", trial.extract("1,a,,,,Open"))
        assert ingest(warehouse.settings, business_date=day) == Outcome(accepted=1)
    assert warehouse.rows("select known_to, state from history.trial__things order by known_from") == [
        (DAY, None),
        (None, "Open"),
    ]


REFUSED_FILES: dict[str, tuple[str, str | bytes]] = {
    "missing_column": ("mosaic/persons", PERSONS.replace("NHS_ID,", "") + "1,Ann,Example,,,F,\n"),
    "repeated_header": ("mosaic/persons", PERSONS.replace("GENDER", "NHS_ID") + "1,,Ann,Example,,,F,\n"),
    "empty_file": ("mosaic/persons", ""),
    "no_rows": ("mosaic/persons", PERSONS),
    "encoding": ("mosaic/persons", PERSONS.encode() + b"1,,\xff\xfe,Example,,,F,\n"),
    "too_many_rejects": ("mosaic/persons", persons(*(f"{n},,Ann,Example,1950,,F," for n in range(1, 5)))),
    "broken_structure": ("mosaic/persons", persons('1,,"Ann,Canary,,,F,') + persons()[len(PERSONS) :]),
    "control_total_missing": ("ledger/lines", LEDGER + "J1,1,01/10/2018,2018/19,7,C1,S1,10.00,,\n"),
    "control_rows_differ": (
        "ledger/lines",
        LEDGER + "J1,1,01/10/2018,2018/19,7,C1,S1,10.00,,\nTRAILER,2,10.00\n",
    ),
    "control_total_differs": (
        "ledger/lines",
        LEDGER + "J1,1,01/10/2018,2018/19,7,C1,S1,10.00,,\nTRAILER,1,10.01\n",
    ),
}


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ("HEAD,2,11.00", None),
        ("HEAD,3,11.00", "its control record says 3 rows, the file holds 2."),
        ("HEAD,2,11.01", "the sum of amount over its rows is not that of its control record."),
    ],
)
def test_a_control_record_at_the_head_is_held_against_the_rows(
    record: str,
    answer: str | None,
    warehouse: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    promised = {"recordMarker": "HEAD", "column": "amount", "record": "first"}
    trial.write_contract(tmp_path, settings={"controlTotal": promised})
    trial.use(monkeypatch, tmp_path)
    rows = trial.extract("1,a,,10.00,,Open", "2,a,,1.00,,Open")
    warehouse.land("council1/trial/things_2018-10-31.csv", f"{record}\n{rows}")
    outcome = ingest(warehouse.settings, business_date=DAY)
    if answer is None:
        assert outcome == Outcome(accepted=1)
        assert warehouse.rows("select ref, source_line from history.trial__things order by 1") == [(1, 3), (2, 4)]
    else:
        assert outcome == Outcome(refused=1)
        assert answer in capsys.readouterr().err


@pytest.mark.parametrize("reason", REFUSED_FILES)
def test_a_bad_file_is_refused_whole_and_the_last_good_one_stays(
    warehouse: Warehouse, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table, bad = REFUSED_FILES[reason]
    good = persons() if "persons" in table else LEDGER + "J1,1,01/09/2018,2018/19,6,C1,S1,1.10,,\nTRAILER,1,1.10\n"
    warehouse.land(f"exampleshire/{table}_2018-10-30.csv", good)
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    history_table = f"history.{table.replace('/', '__')}"
    before = warehouse.rows(f"select * from {history_table} order by source_line")
    warehouse.land(f"exampleshire/{table}_2018-10-31.csv", bad)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(refused=1)
    assert warehouse.rows(f"select * from {history_table} order by source_line") == before
    assert warehouse.rows("select reason_code from audit.batch where state = 'refused'") == [(reason,)]
    said = capsys.readouterr().err
    assert "_2018-10-31.csv" in said and "@example.org" in said and "Canary" not in said
    assert len(list(warehouse.settings.home.glob("refused/**/*.why.txt"))) == 1


def test_an_amount_in_thousands_keeps_its_pence_and_its_limit(warehouse: Warehouse) -> None:
    header = "REPORT_DATE,PROGRAMME_REF,FINANCIAL_YEAR,AT_RISK_GBP_K\n"
    warehouse.land("county/programme/amounts_at_risk_2018-10-30.csv", header + "2018-10-30,P1,2018/19,-12.34567\n")
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows("select at_risk_gbp::text from history.programme__amounts_at_risk") == [("-12345.67",)]
    too_large = header + "2018-10-30,P1,2018/19,99999999999999\n"
    warehouse.land("county/programme/amounts_at_risk_2018-10-31.csv", too_large)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(refused=1)
    ((message,),) = warehouse.rows("select message from audit.batch where state = 'refused'")
    assert "too_large 1" in message and "99999" not in message


def test_files_that_are_not_for_now_are_left_alone(warehouse: Warehouse) -> None:
    waiting = [
        warehouse.land("exampleshire/mosaic/persons_2018-11-01.csv", persons()),
        warehouse.land("exampleshire/mosaic/people_2018-10-31.csv", persons()),
        warehouse.land("atlantis/mosaic/persons_2018-10-31.csv", persons()),
    ]
    warehouse.land("exampleshire/mosaic/.persons_2018-10-31.csv.part", "half")
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(waiting=3)
    assert all(path.exists() for path in waiting)


def test_lines_are_counted_through_embedded_line_ends_and_wrong_field_counts(warehouse: Warehouse) -> None:
    rows = ('1,,"Ann\nMay",Example,,,F,', "2,too\0,few", "", "3,\0,Cy,Example,xx,,M,")
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons(*rows))
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows("select line_number, reason_code from quarantine.rejected_row order by 1, 2") == [
        (304, "wrong_field_count"),
        (306, "control_characters"),
        (306, "not_a_date"),
    ]
    assert warehouse.rows("select source_line from history.mosaic__persons where person_ref = 1") == [(302,)]


def test_a_line_of_backslash_dot_does_not_end_the_data(warehouse: Warehouse) -> None:
    warehouse.land(
        "exampleshire/mosaic/persons_2018-10-31.csv",
        persons('1,,"Ann\n\\.\n",Example,,,F,', "2,,Bo,Example,,,F,"),
    )
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows("select rows_rejected from audit.batch") == [(0,)]
    assert warehouse.rows("select forename from history.mosaic__persons where person_ref < 3 order by person_ref") == [
        ("Ann\n\\.",),
        ("Bo",),
    ]


def test_a_column_that_the_contract_does_not_know_is_passed_over_and_reported(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    more = persons().replace("POST_CODE\n", "POST_CODE,SHOE_SIZE\n").replace("1ZZ\n", "1ZZ,42\n")
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", more)
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows("select rows_new, extra_columns from audit.batch") == [(300, "SHOE_SIZE")]
    assert "SHOE_SIZE" in capsys.readouterr().err


def test_a_file_whose_name_says_that_it_is_being_written_is_left_alone(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"exampleshire/mosaic/persons_2018-10-31.csv{ending}" for ending in (".part", ".tmp", ".filepart")]
    unfinished = [warehouse.land(name, persons()) for name in names]
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(waiting=3)
    assert all(path.exists() for path in unfinished)
    assert capsys.readouterr().err.count("still being written") == 3
    # Renamed when it is whole.
    unfinished[0].rename(unfinished[0].with_suffix(""))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1, waiting=2)
