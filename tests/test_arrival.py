"""Arrival checks through the front door: a delivery unlike the ones before it is refused, and says whom to ask."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from carehouse.arrival import BLANK, ROWS, Arrived, Bucket, Counted, OpenJudge
from carehouse.database import Role, connect
from expectations.arrival.evaluate import Evaluator
from expectations.arrival.judge import ArrivalJudge
from expectations.arrival.suite import EVERY_TABLE, SUITES, load
from expectations.suite import SuiteError
from ingestion.landing import Outcome, ingest
from ingestion.passage import passage
from tests.conftest import Warehouse

DAY = date(2018, 10, 30)
MONTHS = [date(2017 + (10 + number) // 12, (10 + number) % 12 + 1, 9) for number in range(12)]
HEADER = "JOURNAL_ID,JOURNAL_TYPE,POSTING_DATE,FINANCIAL_YEAR,PERIOD,REVERSES_JOURNAL,LINE_COUNT,TOTAL,SOURCE_SYSTEM"
Row = list[str]


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    """One worker for all tests: importing Great Expectations takes seconds."""
    shared = Evaluator()
    yield shared
    shared.close()


def by(evaluator: Evaluator, folder: Path = SUITES) -> OpenJudge:
    """Judge by the suites of a folder."""
    return lambda tables: nullcontext(ArrivalJudge(load(tables, folder), evaluator))


def all_critical(folder: Path) -> Path:
    """The shipped suite for every table with nothing but critical checks, and one more of a kind it does not have."""
    suites = folder / "suites"
    suites.mkdir()
    suite = (SUITES / f"{EVERY_TABLE}.yaml").read_text().replace("severity: warning", "severity: critical")
    still = "thresholds: {at_most_days: 1}, severity: critical, says: Work goes on."
    (suites / f"{EVERY_TABLE}.yaml").write_text(f"{suite}\n  - {{id: stands_still, kind: standstill, {still}}}\n")
    return suites


def journals() -> list[Row]:
    """A year of sixty journals a month."""
    return [
        [
            f"J{month.year}{month.month:02}{number:02}",
            "income" if number < 5 else "manual",
            f"{month:%d/%m/%Y}",
            "2018/19",
            "1",
            "",
            "2",
            "10.00",
            "LEDGER",
        ]
        for month in MONTHS
        for number in range(60)
    ]


def land(warehouse: Warehouse, rows: list[Row], day: date = DAY) -> Path:
    """Land them as the extract of a day, with its control total."""
    total = sum((Decimal(row[7]) for row in rows), Decimal(0))
    lines = [HEADER, *(",".join(row) for row in rows), f"TRAILER,{len(rows)},{total}"]
    return warehouse.land(f"exampleshire/ledger/journals_{day}.csv", "\n".join(lines) + "\n")


def loaded_before(warehouse: Warehouse, open_judge: OpenJudge | None = None) -> None:
    """Load three deliveries, each with one row more."""
    for ago in (4, 3, 2):
        rows = journals()
        land(warehouse, rows[: len(rows) + 2 - ago], DAY - timedelta(days=ago))
        ingest(warehouse.settings, business_date=DAY - timedelta(days=ago), open_judge=open_judge)


def with_column(place: int, value: str, where: Callable[[Row], bool]) -> list[Row]:
    """The journals with one column changed in some rows."""
    return [[*row[:place], value, *row[place + 1 :]] if where(row) else row for row in journals()]


FAULTS: dict[str, tuple[list[Row], str]] = {
    "volume": (
        journals()[::2],
        "volume: 360 rows, 49.9 % fewer than the median of 719 in the last 3 deliveries; "
        "allowed: at most 20 % fewer or 100 % more.",
    ),
    "doubled": (
        [[f"{copy}{row[0]}", *row[1:]] for row in journals() for copy in "ABC"],
        "volume: 2,160 rows, 200.4 % more than the median of 719 in the last 3 deliveries; "
        "allowed: at most 20 % fewer or 100 % more.",
    ),
    "blanks": (
        with_column(8, "", lambda row: row[0].endswith("0")),
        "blanks_more: source_system_code is blank in 10.0 % of rows, 0.0 % in the last delivery; "
        "allowed: at most 5 percentage points more.",
    ),
    "months": (
        [row for row in journals() if not row[2].endswith("07/2018")],
        "months_covered: 0 rows have posting_date in 2018-07, 60 had in the last delivery; allowed: at most 50 % fewer.",
    ),
    "newest month": (
        with_column(2, "09/08/2018", lambda row: row[2].endswith(("09/2018", "10/2018"))),
        "newest_month_reached: the newest month of posting_date lies 2 months before the extract's, 0 at most in the "
        "last 3 deliveries; allowed: at most 1 month further behind.",
    ),
    "new code": (
        with_column(1, "closing", lambda row: row[0].endswith("59")),
        "codes_new: 12 rows have the new journal_type_code closing; allowed: at most 0 rows of a code not seen before.",
    ),
    "vanished code": (
        with_column(1, "manual", lambda row: True),
        "codes_vanished: 0 rows have journal_type_code income, 60 had in the last delivery; "
        "allowed: at least 1 rows of every code in use.",
    ),
    "control total": (
        with_column(7, "100.00", lambda row: row[0].endswith("1")),
        "control_total_moved: the control total is 90.3 % more than the median of the last 3 deliveries; "
        "allowed: at most 25 % less or 50 % more.",
    ),
}


@pytest.mark.any_server
def test_each_fault_is_refused_with_how_far_off_it_is_and_the_last_good_delivery_stays(
    warehouse: Warehouse, evaluator: Evaluator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_before(warehouse)
    judge = by(evaluator, all_critical(tmp_path))
    for name, (rows, message) in FAULTS.items():
        land(warehouse, rows)
        assert ingest(warehouse.settings, business_date=DAY, open_judge=judge) == Outcome(refused=1), name
        told = capsys.readouterr().err
        assert message in told, f"{name}: {told}"
        assert "Ask Adult social care finance <care.finance@example.org>." in told, name
    assert warehouse.rows("select count(*) from history.ledger__journals where known_to is null") == [(720,)]
    land(warehouse, journals())
    old = ingest(warehouse.settings, business_date=DAY + timedelta(days=21), open_judge=judge)
    assert old == Outcome(refused=1)
    told = capsys.readouterr().err
    assert "extract_recent: it shows 2018-10-30, 21 days before it was loaded; allowed: at most 7 days old." in told
    assert (
        "stands_still: nothing has changed in the extracts since that of 2018-10-28; "
        "allowed: at most 1 days without a change." in told
    )
    refused = warehouse.rows(
        """
        select count(distinct batch_id), count(*) filter (where outcome = 'failed' and measured is not null)
        from audit.arrival_check inner join audit.batch using (batch_id) where state = 'refused'
        """
    )
    assert refused[0][0] == len(FAULTS) + 1
    assert refused[0][1] >= len(FAULTS) + 2
    land(warehouse, [*journals(), *with_column(0, "NEW", lambda row: True)[:1]])
    assert ingest(warehouse.settings, business_date=DAY, open_judge=judge) == Outcome(accepted=1)


@pytest.mark.any_server
def test_a_warning_is_told_and_kept_and_the_delivery_accepted(
    warehouse: Warehouse, evaluator: Evaluator, capsys: pytest.CaptureFixture[str]
) -> None:
    people = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
    good = [f"{number},,Canaryforename,Canarysurname,07/03/1931,,F,ZZ1 1ZZ" for number in range(1, 301)]
    bad = [row.replace("07/03/1931", "31/02/1931") for row in good[:2]]
    warehouse.land("exampleshire/mosaic/persons_2018-10-29.csv", people + "\n".join(good) + "\n")
    ingest(warehouse.settings, business_date=DAY)
    warehouse.land("exampleshire/mosaic/persons_2018-10-30.csv", people + "\n".join([*bad, *good[2:]]) + "\n")
    assert ingest(warehouse.settings, business_date=DAY, open_judge=by(evaluator)) == Outcome(accepted=1)
    told = capsys.readouterr().err
    assert (
        "to look into: rejects_more: 0.7 % of rows are rejected (not_a_date), 0.0 % of the last delivery's; "
        "allowed: at most 0.5 percentage points more. Ask Adult social care systems <care.systems@example.org>." in told
    )
    assert warehouse.rows(
        "select severity, subject, round(measured::numeric, 2) from audit.arrival_check where outcome = 'failed'"
    ) == [("warning", "rejected rows", Decimal("0.67"))]
    kept = warehouse.rows(
        "select p::text from audit.batch_profile as p union all select c::text from audit.arrival_check as c"
    )
    assert len(kept) > 20
    for words in [told, *(row for (row,) in kept)]:
        assert "Canary" not in words
        assert "1931" not in words


@pytest.mark.any_server
def test_a_first_delivery_has_nothing_to_be_held_against_and_starts_no_worker(warehouse: Warehouse) -> None:
    none = Evaluator(command=["/nonexistent/worker"])
    land(warehouse, journals())
    assert ingest(warehouse.settings, business_date=DAY, open_judge=by(none)) == Outcome(accepted=1)
    found = warehouse.rows("select outcome, count(*), min(reason) from audit.arrival_check group by outcome")
    assert found == [
        ("not_applicable", 11, "0 earlier deliveries were accepted; it takes 1 to compare"),
    ]


@pytest.mark.any_server
def test_few_deliveries_are_said_not_to_be_enough(warehouse: Warehouse, evaluator: Evaluator) -> None:
    for ago in (1, 0):
        land(warehouse, journals()[ago:], DAY - timedelta(days=ago))
        ingest(warehouse.settings, business_date=DAY, open_judge=by(evaluator))
    found = warehouse.rows(
        "select check_id, outcome, reason from audit.arrival_check order by batch_id desc, check_id = 'volume' desc limit 1"
    )
    assert found == [("volume", "not_applicable", "1 earlier deliveries were accepted; it takes 3 to compare")]
    assert ("passed",) in warehouse.rows("select outcome from audit.arrival_check")


DEAD = "import sys; sys.stdin.readline()"
SILENT = "import time; time.sleep(60)"
BABBLING = "import sys; sys.stdin.readline(); print('[1]')"
EMPTY = "import sys; sys.stdin.readline(); print('{}')"
HASTY = (
    "import sys, json; asked = json.loads(sys.stdin.readline()); "
    "print(json.dumps({name: {'success': True, 'checked': 0, 'failed': 0} for name in asked}))"
)


@pytest.mark.any_server
def test_a_delivery_that_could_not_be_checked_is_refused(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_before(warehouse)
    reasons = {
        DEAD: "could not be checked, Great Expectations gave no answer (BrokenPipeError)",
        SILENT: "could not be checked, Great Expectations gave no answer (TimeoutError)",
        BABBLING: "could not be checked, Great Expectations gave no answer (AttributeError)",
        EMPTY: "could not be checked, Great Expectations gave no answer to this check",
        HASTY: "could not be checked, 0 of 1 figures were looked at",
        "": "could not be checked, Great Expectations gave no answer (FileNotFoundError)",
    }
    for program, reason in reasons.items():
        command = [sys.executable, "-c", program] if program else ["/nonexistent/worker"]
        broken = Evaluator(command, patience_seconds=1 if program == SILENT else 30)
        land(warehouse, journals())
        assert ingest(warehouse.settings, business_date=DAY, open_judge=by(broken)) == Outcome(refused=1), program
        broken.close()
        assert reason in capsys.readouterr().err
    assert warehouse.rows("select count(*) > 20 from audit.arrival_check where outcome = 'error'") == [(True,)]
    assert warehouse.rows("select count(*) from audit.arrival_check where outcome = 'passed'") == [(0,)]


@pytest.mark.any_server
def test_a_file_can_be_let_pass_with_a_reason(
    warehouse: Warehouse, evaluator: Evaluator, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_before(warehouse)
    rows, message = FAULTS["months"]
    land(warehouse, rows)
    assert ingest(warehouse.settings, business_date=DAY, open_judge=by(evaluator)) == Outcome(refused=1)
    sha256 = capsys.readouterr().err.partition("--let-pass ")[2][:12]
    land(warehouse, rows)
    word = passage(sha256, "Ann Example", "July was reposted to August.")
    assert ingest(warehouse.settings, None, DAY, word, by(evaluator)) == Outcome(accepted=1)
    assert f"to look into: {message}" in capsys.readouterr().err
    assert warehouse.rows(
        """
        select state, let_pass_by, let_pass_because, check_id
        from audit.arrival_check inner join audit.batch using (batch_id)
        where outcome = 'failed' order by batch_id desc limit 1
        """
    ) == [("accepted", "Ann Example", "July was reposted to August.", "months_covered")]


@pytest.mark.any_server
def test_a_late_delivery_is_not_judged_and_leaves_the_profile_as_it_is(
    warehouse: Warehouse, evaluator: Evaluator
) -> None:
    loaded_before(warehouse)
    profiled = "select count(distinct batch_id) from audit.batch_profile"
    assert warehouse.rows(profiled) == [(3,)]
    land(warehouse, journals()[::2], DAY - timedelta(days=3, weeks=1))
    assert ingest(warehouse.settings, business_date=DAY, open_judge=by(evaluator)) == Outcome(accepted=1)
    assert warehouse.rows(profiled) == [(3,)]
    assert warehouse.rows("select count(*) from audit.arrival_check") == [(0,)]


@pytest.mark.any_server
def test_a_misspelt_suite_is_refused_before_any_file_is_read(
    warehouse: Warehouse, evaluator: Evaluator, tmp_path: Path
) -> None:
    suites = all_critical(tmp_path)
    (suites / "ledger.journals.yaml").write_text("tune: {volum: {severity: warning, because: It has a reason.}}\n")
    landed = land(warehouse, journals())
    with pytest.raises(
        SuiteError, match=r"ledger\.journals\.yaml, tune: unknown check 'volum'; allowed: volume, blanks"
    ):
        ingest(warehouse.settings, business_date=DAY, open_judge=by(evaluator, suites))
    assert landed.exists()
    assert warehouse.rows("select count(*) from audit.batch") == [(0,)]


@pytest.mark.any_server
def test_what_was_counted_and_judged_is_never_changed(warehouse: Warehouse) -> None:
    for role in (Role.LOADER, Role.GATE, Role.AUDITOR):
        for table in ("batch_profile", "arrival_check"):
            assert warehouse.rows(f"select count(*) from audit.{table}", role) == [(0,)]
            for statement in (f"delete from audit.{table}", f"update audit.{table} set batch_id = 1"):
                with (
                    connect(warehouse.settings, role) as session,
                    pytest.raises(psycopg.errors.InsufficientPrivilege),
                ):
                    session.execute(statement)  # type: ignore[arg-type]


@pytest.mark.any_server
def test_the_command_asks_the_judge(warehouse: Warehouse) -> None:
    land(warehouse, journals(), DAY - timedelta(days=1))
    assert warehouse.command("ingest", "--business-date", "2018-10-29").returncode == 0
    land(warehouse, with_column(8, "", lambda row: True))
    ran = warehouse.command("ingest", "--business-date", f"{DAY}")
    assert ran.returncode == 3, ran.stderr
    assert "REFUSED exampleshire/ledger/journals_2018-10-30.csv" in ran.stderr
    assert "source_system_code is blank in 100.0 % of rows" in ran.stderr
    assert len(list(warehouse.settings.home.rglob("*.why.txt"))) == 1
    assert warehouse.rows("select count(*) from history.ledger__journals where known_to is null") == [(720,)]


def counted(**facts: object) -> Counted:
    """A delivery of no particular shape."""
    plain = Counted(DAY, 1000, 0, 1, None, {Bucket(ROWS): 1000, Bucket(BLANK, "a"): 0})
    return replace(plain, **facts)  # type: ignore[arg-type]


def test_a_promised_total_that_did_not_come_is_refused(evaluator: Evaluator, tmp_path: Path) -> None:
    shutil.copy(SUITES / f"{EVERY_TABLE}.yaml", tmp_path)
    judge = ArrivalJudge(load({}, tmp_path), evaluator)
    before = counted(control_total=Decimal(5000))
    arrived = Arrived("a.b", "exampleshire", DAY, 3, True, "Ann <ann@example.org>", counted(), (before,))
    assert judge.judge(arrived).refusal == (
        "control_total_given: no control total came with the file; allowed: a control total is promised."
    )
    assert judge.judge(replace(arrived, promises_total=False)).refusal is None
    with_total = replace(arrived, delivered=counted(control_total=Decimal(5000)))
    assert judge.judge(with_total).refusal is None
