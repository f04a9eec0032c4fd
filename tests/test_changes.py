"""Change feeds: in whichever order the days arrive, the same rows are known at the end."""

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.landing import Outcome, ingest
from tests import trial
from tests.conftest import Warehouse

HEADER = f"{trial.HEADER},OPERATION"
RUN_DAY = date(2018, 10, 31)
SPOKEN = st.tuples(st.integers(1, 3), st.sampled_from(["1.00", "2.00"]), st.sampled_from(trial.OPERATIONS))
DAYS = st.lists(st.lists(SPOKEN, min_size=1, max_size=3), min_size=2, max_size=4)


@pytest.fixture(autouse=True)
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Things as a change feed."""
    trial.write_contract(
        tmp_path,
        said=[*trial.columns(), trial.operation()],
        settings={"delivery": "changes", "operationColumn": "operation"},
    )
    trial.use(monkeypatch, tmp_path)


def deliver(warehouse: Warehouse, council: str, day: int, *rows: str) -> Outcome:
    warehouse.land(f"{council}/trial/things_2018-10-{day:02d}.csv", trial.extract(*rows, header=HEADER))
    return ingest(warehouse.settings, business_date=RUN_DAY)


def open_rows(warehouse: Warehouse, council: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select ref, amount::text from history.trial__things "
        f"where known_to is null and council_code = '{council}' order by 1"
    )


def test_feeds_in_any_order_leave_the_same_rows_open(warehouse: Warehouse) -> None:
    numbers = itertools.count()
    seen = set()

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), days=DAYS)
    def in_any_order(data: st.DataObject, days: list[list[tuple[int, str, str]]]) -> None:
        council = f"council{next(numbers)}"
        for day in data.draw(st.permutations(range(len(days)))):
            rows = [f"{ref},a,,{amount},,Open,{operation}" for ref, amount, operation in days[day]]
            assert deliver(warehouse, council, day + 1, *rows) == Outcome(accepted=1)
        said_last = {ref: (amount, operation) for spoken in days for ref, amount, operation in spoken}
        expected = [(ref, amount) for ref, (amount, operation) in sorted(said_last.items()) if operation != "delete"]
        assert open_rows(warehouse, council) == expected
        seen.add(len(expected))

    in_any_order()
    assert len(seen) > 1


def test_a_late_insertion_does_not_bring_back_what_was_deleted(warehouse: Warehouse) -> None:
    deliver(warehouse, "council1", 2, "1,a,,,,,delete")
    deliver(warehouse, "council1", 1, "1,a,,1.00,,Open,insert")
    assert open_rows(warehouse, "council1") == []
    counts = "select rows_in, rows_new, rows_removed, rows_superseded from audit.batch order by batch_id"
    assert warehouse.rows(counts) == [(1, 0, 0, 1), (1, 0, 0, 1)]


def test_a_late_change_does_not_undo_one_that_said_nothing_new(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(warehouse, "council1", 1, "1,a,,1.00,,Open,insert")
    deliver(warehouse, "council1", 3, "1,a,,1.00,,Open,update")
    deliver(warehouse, "council1", 2, "1,a,,9.00,,Open,update", "2,a,,2.00,,Open,insert")
    assert open_rows(warehouse, "council1") == [(1, "1.00"), (2, "2.00")]
    # What was said late is kept, though it was never current.
    assert warehouse.rows("select count(*) from history.trial__things where amount = 9 and known_from = known_to") == [
        (1,)
    ]
    assert "nothing current is touched" not in capsys.readouterr().err


def test_a_deletion_need_say_no_more_than_which_row(warehouse: Warehouse) -> None:
    deliver(warehouse, "council1", 1, "1,a,Ann,1.00,01/10/2018,Open,insert", "2,a,,,,,insert")
    deliver(warehouse, "council1", 2, "1,a,,,,,delete")
    assert open_rows(warehouse, "council1") == [(2, None)]
    assert warehouse.rows("select rows_removed, rows_closed from audit.batch order by batch_id") == [(0, 0), (1, 1)]
