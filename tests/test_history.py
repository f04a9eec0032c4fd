"""What is known, since when and until when: late snapshots, the quick path, files that shrank, withdrawals."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from ingestion.contract import Contract
from ingestion.delivery import content_sha256
from ingestion.history import ensure_tables
from ingestion.landing import Outcome, ingest
from ingestion.passage import Passage, passage
from ingestion.withdrawal import withdraw
from tests import trial
from tests.conftest import Warehouse

DAYS = {day: date(2018, 10, day) for day in range(1, 32)}
VERSIONS = "select ref, amount::text, extract(day from known_from)::int, extract(day from known_to)::int from history.trial__things order by 1, 3, 4, 2"
COUNTS = "select rows_in, rows_new, rows_changed, rows_unchanged, rows_rejected, rows_closed from audit.batch order by batch_id"

Deliver = Callable[..., Outcome]


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Things as a full snapshot, of which half may vanish at most."""
    trial.write_contract(tmp_path, settings={"shrinkLimitPercent": 50})
    return trial.use(monkeypatch, tmp_path)[0]


@pytest.fixture
def deliver(warehouse: Warehouse, things: Contract) -> Deliver:
    """Deliver amounts as the extract of a day: a row for each, numbered from 1, or with its number."""

    def deliver(day: int, *amounts: str, known: int | None = None, passage: Passage | None = None) -> Outcome:
        rows = [text if "," in text else f"{number},a,,{text},,Open" for number, text in enumerate(amounts, start=1)]
        warehouse.land(f"council1/trial/things_{DAYS[day]}.csv", trial.extract(*rows))
        return ingest(warehouse.settings, business_date=DAYS[known or day], passage=passage)

    return deliver


def test_a_late_snapshot_adds_what_only_it_shows_and_touches_nothing_open(
    warehouse: Warehouse, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(10, "1.00", "2.00")
    assert deliver(9, "1.00", "2.50", "3.00", known=11) == Outcome(accepted=1)
    assert warehouse.rows(VERSIONS) == [
        (1, "1.00", 10, None),
        (2, "2.00", 10, None),
        (2, "2.50", 11, 11),
        (3, "3.00", 11, 11),
    ]
    assert warehouse.rows("select is_late from audit.batch order by batch_id") == [(False,), (True,)]
    assert "nothing current is touched" in capsys.readouterr().err


def test_knowledge_is_never_dated_before_earlier_knowledge(warehouse: Warehouse, deliver: Deliver) -> None:
    deliver(3, "1.00", known=20)
    deliver(4, "2.00", known=10)
    assert warehouse.rows(VERSIONS) == [(1, "1.00", 20, 20), (1, "2.00", 20, None)]


def test_without_fingerprints_a_reload_says_the_same(warehouse: Warehouse, deliver: Deliver) -> None:
    deliver(1, "1.00", "2.00", "3.00")
    with warehouse.admin() as admin:
        admin.execute("update history.trial__things set fingerprint = null where ref < 3")
    deliver(2, "1.00", "2.50", "3.00")
    assert warehouse.rows(COUNTS)[1] == (3, 0, 1, 2, 0, 0)
    assert warehouse.rows(
        "select count(*) from history.trial__things where fingerprint is null and known_to is null"
    ) == [(0,)]


def test_another_contract_or_spelling_makes_no_new_version_and_notes_its_fingerprints(
    warehouse: Warehouse, deliver: Deliver, things: Contract
) -> None:
    deliver(1, "1.00", "2.00")
    noted = "select fingerprint from history.trial__things order by ref"
    before = warehouse.rows(noted)
    things.file.write_text(things.file.read_text() + "# more words\n")
    deliver(2, "1.00", "2.00")
    between = warehouse.rows(noted)
    deliver(3, "1.00", "2.0")
    after = warehouse.rows(noted)
    assert warehouse.rows(COUNTS)[1:] == [(2, 0, 0, 2, 0, 0)] * 2
    assert not set(before) & set(between) and after[0] == between[0] and after[1] != between[1]


RIVALS = {
    "differing from a known row": (["1,a,,1.00,,Open", "1,a,,9.00,,Open"], ["conflicting_key"] * 2),
    "two beside a known row": (["1,a,,8.00,,Open", "1,a,,1.00,,Open", "1,a,,9.00,,Open"], ["conflicting_key"] * 3),
    "repeating a known row": (["1,a,,1.00,,Open", "1,a,,1.00,,Open"], [None, "repeated_row"]),
    "repeating it in other words": (["1,a,,1.0,,Open", "1,a,,1.00,,open"], [None, "repeated_row"]),
    "both": (
        ["1,a,,1.00,,Open", "1,a,,1.00,,Open", "1,a,,9.00,,Open"],
        ["conflicting_key", "repeated_row", "conflicting_key"],
    ),
}


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("case", RIVALS)
def test_rows_that_share_a_key_with_a_known_one_are_judged_together(
    warehouse: Warehouse, deliver: Deliver, case: str, quick: bool
) -> None:
    deliver(1, "1.00", "2.00")
    before = warehouse.rows(VERSIONS)
    if not quick:
        with warehouse.admin() as admin:
            admin.execute("update history.trial__things set fingerprint = null")
    rows, reasons = RIVALS[case]
    # The line that is no row must not shift the lines of the others, nor be counted twice.
    assert deliver(2, "2,a,,2.00,,Open", "too,few", *rows) == Outcome(accepted=1)
    found = warehouse.rows("select line_number, reason_code from quarantine.rejected_row order by 1")
    assert found == [(3, "wrong_field_count"), *((n, reason) for n, reason in enumerate(reasons, start=4) if reason)]
    assert warehouse.rows(VERSIONS) == before


def test_a_first_load_with_rows_of_one_key_ends_as_a_comparison_would(warehouse: Warehouse, deliver: Deliver) -> None:
    deliver(1, "1.00", "2.00", "2,a,,9.00,,Open", "1,a,,1.00,,Open", "3,a,,3.00,,Open")
    assert warehouse.rows(VERSIONS) == [(1, "1.00", 1, None), (3, "3.00", 1, None)]
    assert warehouse.rows(COUNTS) == [(5, 2, 0, 0, 3, 0)]


@pytest.mark.parametrize("is_read_meanwhile", [False, True])
def test_a_first_load_says_whose_each_row_is_and_leaves_no_default_behind(
    warehouse: Warehouse, deliver: Deliver, things: Contract, is_read_meanwhile: bool
) -> None:
    with connect(warehouse.settings, Role.LOADER) as loader:
        ensure_tables(loader, [things])
    with warehouse.admin() as reader, reader.transaction():
        if is_read_meanwhile:
            reader.execute("select from history.trial__things")
        deliver(1, "1.00", "2.00")
    assert warehouse.rows(
        "select distinct known.batch_id = batch.batch_id, known_from, known.council_code, closed_by_batch_id, known_to "
        "from history.trial__things as known cross join audit.batch"
    ) == [(True, DAYS[1], "council1", None, None)]
    assert warehouse.rows("select from pg_attrdef where adrelid = 'history.trial__things'::regclass") == []


def test_a_snapshot_that_shrank_is_refused_unless_somebody_says_why_not(
    warehouse: Warehouse, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(1, "1.00", "2.00", "3.00", "4.00")
    assert deliver(2, "1.00", "2.00") == Outcome(accepted=1)
    assert deliver(3, "3,a,,3.00,,Open") == Outcome(refused=1)
    said = capsys.readouterr().err
    assert (
        "2 of the 2 rows known so far are not in the file, more than the 50 % that contract trial.things allows" in said
    )
    assert "Ask Thing office <things@example.org>" in said
    refused = next(warehouse.settings.home.glob("refused/**/things_*.csv"))
    shown = refused.name.split(".")[1]
    assert shown == content_sha256(refused)[:12]
    wrong, right = passage("0" * 12, "somebody", "why"), passage(shown, "somebody", "the others moved away")
    assert deliver(3, "3,a,,3.00,,Open", passage=wrong) == Outcome(refused=1)
    assert deliver(3, "3,a,,3.00,,Open", passage=right) == Outcome(accepted=1)
    assert warehouse.rows("select let_pass_by, let_pass_because from audit.batch where let_pass_by is not null") == [
        ("somebody", "the others moved away")
    ]
    assert [row[0] for row in warehouse.rows(VERSIONS) if row[3] is None] == [3]


def test_to_let_a_file_pass_takes_its_hash_and_a_reason() -> None:
    for sha256, because, words in (
        ("abc", "why", "at least 12"),
        ("0" * 12, " ", "say why"),
        ("Z" * 12, "why", "at least"),
    ):
        with pytest.raises(CarehouseError, match=words):
            passage(sha256, "somebody", because)
    assert passage(None, "somebody", None) is None


def test_a_withdrawn_delivery_leaves_what_was_known_before_it(warehouse: Warehouse, deliver: Deliver) -> None:
    deliver(1, "1.00", "2.00")
    deliver(2, "1.50", "2.00")
    done = withdraw(warehouse.settings, 2, "somebody", "the wrong council's", DAYS[3])
    assert (done.closed, done.reopened) == (1, 1)
    assert warehouse.rows(VERSIONS) == [
        (1, "1.00", 1, 2),
        (1, "1.50", 2, 3),
        (1, "1.00", 3, None),
        (2, "2.00", 1, None),
    ]
    assert warehouse.rows(
        "select withdrawn_on, withdrawn_by, withdrawn_because from audit.batch where batch_id = 2"
    ) == [(DAYS[3], "somebody", "the wrong council's")]
    # The same bytes may come again, for the same day.
    assert deliver(2, "1.50", "2.00", known=4) == Outcome(accepted=1)
    assert warehouse.rows(COUNTS)[2] == (2, 0, 1, 1, 0, 0)


def test_a_withdrawal_is_refused_in_words(warehouse: Warehouse, deliver: Deliver) -> None:
    deliver(1, "1.00", "2.00")
    deliver(2, "1.50", "2.00")
    refusals = [
        (1, "somebody", "why", "batch 2 stands on it"),
        (2, "somebody", " ", "say who withdraws, and why"),
        (2, "", "why", "say who withdraws, and why"),
        (99, "somebody", "why", "no batch 99"),
    ]
    before = warehouse.rows(VERSIONS)
    for batch, by, because, words in refusals:
        with pytest.raises(CarehouseError, match=words):
            withdraw(warehouse.settings, batch, by, because, DAYS[3])
    assert warehouse.rows(VERSIONS) == before
    withdraw(warehouse.settings, 2, "somebody", "why", DAYS[3])
    with pytest.raises(CarehouseError, match="withdrawn already"):
        withdraw(warehouse.settings, 2, "somebody", "why", DAYS[3])
    withdraw(warehouse.settings, 1, "somebody", "why", DAYS[3])
    assert not [row for row in warehouse.rows(VERSIONS) if row[3] is None]


def test_the_commands_say_what_they_need(warehouse: Warehouse) -> None:
    for arguments, words in (
        (("ingest", "--let-pass", "0" * 12), "say why, with --because"),
        (("withdraw", "1"), "say who withdraws, and why"),
        (("withdraw", "1", "--because", "why"), "no batch 1"),
    ):
        ran = warehouse.command(*arguments)
        assert ran.returncode == 1 and words in ran.stderr, ran.stderr
    assert "Nothing waits" in warehouse.command("rejects").stdout
    assert "Nothing waits" in warehouse.command("rejects", "--codes").stdout
