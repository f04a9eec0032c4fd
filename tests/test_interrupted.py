"""Loaders that are killed, and two at once: the same state as if one had gone through."""

import subprocess
import sys
from datetime import date

import pytest

from ingestion.landing import ingest
from tests.conftest import Warehouse
from tests.landed import ANSWERS, ledger

DAY = date(2018, 10, 31)


def started(warehouse: Warehouse) -> subprocess.Popen[str]:
    """A loader of its own, running."""
    command = [sys.executable, "-m", "carehouse", "ingest", "--business-date", "2018-10-31", "--json"]
    return subprocess.Popen(
        command, env=warehouse.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.any_server
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


def feed(operation: str, answer: str) -> str:
    """A change feed of answers that touches every form."""
    return ANSWERS + "".join(f"{operation},{n},Q1,1,1,,{answer}\n" for n in range(1, 60_001))


RELOADED = {
    "full_snapshot": ("ledger/lines", ledger(60_000), ledger(60_000).replace("C1,S1", "C2,S1")),
    "changes": ("mosaic/form_answers", feed("insert", "yes"), feed("update", "no")),
}


@pytest.mark.parametrize("delivery", RELOADED)
@pytest.mark.any_server
def test_a_loader_killed_while_it_changes_history_leaves_all_as_it_was(warehouse: Warehouse, delivery: str) -> None:
    table, first, second = RELOADED[delivery]
    history = f"history.{table.replace('/', '__')}"
    warehouse.land(f"exampleshire/{table}_2018-10-30.csv", first)
    assert ingest(warehouse.settings, business_date=date(2018, 10, 30)).accepted == 1
    warehouse.land(f"exampleshire/{table}_2018-10-31.csv", second)
    deaths = 0
    for seconds in (1.0, 1.3, 1.6, 1.9, 2.2):
        loader = started(warehouse)
        try:
            loader.wait(seconds)
        except subprocess.TimeoutExpired:
            loader.kill()
            loader.wait()
            deaths += 1
        ((is_loaded,),) = warehouse.rows("select count(*) = 2 from audit.batch")
        counted = warehouse.rows(f"select count(*), count(*) filter (where known_to is null) from {history}")
        assert counted == [(120_000, 60_000) if is_loaded else (60_000, 60_000)]
    assert deaths
    ingest(warehouse.settings, business_date=DAY)
    assert warehouse.rows("select rows_in, rows_changed from audit.batch order by batch_id") == [
        (60_000, 0),
        (60_000, 60_000),
    ]
    assert warehouse.rows(
        f"select known_from, known_to, count(*), count(distinct batch_id) from {history} group by 1, 2 order by 1"
    ) == [(date(2018, 10, 30), DAY, 60_000, 1), (DAY, None, 60_000, 1)]
    assert not [path for path in warehouse.settings.landing.rglob("*") if path.is_file()]
