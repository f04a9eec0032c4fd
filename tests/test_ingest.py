"""Ingestion through the front door: files in, history, quarantine and manifest out."""

import subprocess
import sys
from datetime import date

import pytest

from ingestion.landing import Outcome, ingest
from tests.conftest import Warehouse

DAY = date(2018, 10, 31)
PERSONS = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
LEDGER = (
    "JOURNAL_ID,JOURNAL_LINE,POSTING_DATE,FINANCIAL_YEAR,PERIOD,COST_CENTRE,SUBJECTIVE,AMOUNT,DESCRIPTION,"
    "SOURCE_SYSTEM\n"
)


def persons(*rows: str) -> str:
    """An extract of persons; enough good ones that one bad row is below the limit."""
    many = [f"{number},,Ann,Example,01/02/1950,,F,ZZ1 1ZZ" for number in range(1000, 1300)]
    return PERSONS + "\n".join([*many, *rows]) + "\n"


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


def test_a_column_that_a_contract_gains_is_added_to_history(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", persons("1,,Ann,Example,,,F,ZZ9 9ZZ"))
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    with warehouse.admin() as admin:
        admin.execute("alter table history.mosaic__persons drop column postcode")
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons("1,,Ann,Example,,,F,ZZ9 9ZZ"))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows("select postcode from history.mosaic__persons where person_ref = 1 order by known_from") == [
        (None,),
        ("ZZ9 9ZZ",),
    ]


def test_a_bad_row_goes_to_quarantine_and_the_rest_load(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons("7,,Ann,Example,31/02/1950,,F,"))
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(accepted=1)
    assert warehouse.rows(
        "select line_number, column_name, reason_code, row_as_sent like '%31/02/1950%' from quarantine.rejected_row"
    ) == [(302, "DATE_OF_BIRTH", "not_a_date", True)]
    assert warehouse.rows("select count(*) from history.mosaic__persons") == [(300,)]
    report = warehouse.settings.home / "rejects/exampleshire/mosaic/persons_2018-10-31.rejects.csv"
    assert report.read_text().splitlines()[1] == "302,DATE_OF_BIRTH,not_a_date,must be a real date written dd/mm/yyyy"
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


REFUSED_FILES: dict[str, tuple[str, str | bytes]] = {
    "missing_column": ("mosaic/persons", PERSONS.replace("NHS_ID,", "") + "1,Ann,Example,,,F,\n"),
    "repeated_header": ("mosaic/persons", PERSONS.replace("GENDER", "NHS_ID") + "1,,Ann,Example,,,F,\n"),
    "empty_file": ("mosaic/persons", ""),
    "no_rows": ("mosaic/persons", PERSONS),
    "encoding": ("mosaic/persons", PERSONS.encode() + b"1,,\xff\xfe,Example,,,F,\n"),
    "too_many_rejects": ("mosaic/persons", PERSONS + "1,,Ann,Example,1950,,F,\n"),
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


def test_an_older_snapshot_does_not_undo_a_newer_one(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", persons("1,,Ann,Example,,,F,"))
    ingest(warehouse.settings, business_date=DAY)
    warehouse.land("exampleshire/mosaic/persons_2018-10-29.csv", persons())
    assert ingest(warehouse.settings, business_date=DAY) == Outcome(refused=1)
    assert warehouse.rows("select known_to from history.mosaic__persons where person_ref = 1") == [(None,)]


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
    assert warehouse.rows("select reason_code from quarantine.rejected_row") == [("control_characters",)]
    assert warehouse.rows("select count(*) from history.mosaic__persons") == [(301,)]


def ledger(rows: int) -> str:
    """A ledger extract of pennies."""
    lines = "".join(f"J{n // 5},{n + 1},01/10/2018,2018/19,7,C1,S1,0.01,,\n" for n in range(rows))
    return f"{LEDGER}{lines}TRAILER,{rows},{rows // 100}.{rows % 100:02d}\n"


def started(warehouse: Warehouse) -> subprocess.Popen[str]:
    """A loader of its own, running."""
    command = [sys.executable, "-m", "carehouse", "ingest", "--business-date", "2018-10-31", "--json"]
    return subprocess.Popen(
        command, env=warehouse.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_loader_killed_anywhere_leaves_nothing_half_done(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/ledger/lines_2018-10-31.csv", ledger(150_000))
    for seconds in (0.5, 0.8, 1.1, 1.4, 1.7):
        loader = started(warehouse)
        try:
            loader.wait(seconds)
        except subprocess.TimeoutExpired:
            loader.kill()
            loader.wait()
        loaded = warehouse.rows("select rows_new from audit.batch")
        # The first loader makes the table, so its very early death leaves none.
        if warehouse.rows("select to_regclass('history.ledger__lines') is not null") == [(True,)]:
            ((kept,),) = warehouse.rows("select count(*) from history.ledger__lines")
            assert kept == (150_000 if loaded else 0)
    assert ingest(warehouse.settings, business_date=DAY).refused == 0
    assert warehouse.rows("select rows_new, rows_rejected from audit.batch") == [(150_000, 0)]
    assert warehouse.rows("select count(*), sum(amount_gbp) from history.ledger__lines") == [(150_000, 1500)]
    assert len(list(warehouse.settings.home.glob("archive/exampleshire/ledger/*"))) == 1


def test_of_two_loaders_at_once_one_does_the_work(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/ledger/lines_2018-10-31.csv", ledger(50_000))
    warehouse.land_examples()
    both = [started(warehouse), started(warehouse)]
    for loader in both:
        _, said = loader.communicate()
        assert loader.returncode == 0, said
    assert warehouse.rows("select count(*), count(distinct content_sha256) from audit.batch") == [(7, 7)]
    assert warehouse.rows("select count(*) from history.ledger__lines") == [(50_000,)]
    assert len(list(warehouse.settings.home.glob("archive/*/*/*.csv"))) == 7


def test_two_loaders_of_a_bad_file_refuse_it_in_words(warehouse: Warehouse) -> None:
    warehouse.land("exampleshire/ledger/lines_2018-10-31.csv", ledger(20_000).replace("TRAILER,20000", "TRAILER,19999"))
    both = [started(warehouse), started(warehouse)]
    said = [loader.communicate()[1] for loader in both]
    assert {loader.returncode for loader in both} <= {0, 3}
    assert "control_rows_differ" in {code for (code,) in warehouse.rows("select reason_code from audit.batch")}
    assert not [words for words in said if "Traceback" in words]
    assert len(list(warehouse.settings.home.glob("refused/*/*/*.csv"))) == 1
