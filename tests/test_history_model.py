"""Random deliveries, withdrawals and wiped fingerprints: after each, history says what a plain model says."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.landing import Outcome, ingest
from ingestion.withdrawal import withdraw
from tests import trial
from tests.conftest import Warehouse
from tests.history_model import Line, Model, Rows

DAY_ZERO = date(2018, 10, 1)
CANARY = "Canary"
COUNTED = ("rows_in", "new", "changed", "unchanged", "removed", "superseded", "rejected", "closed")
FAULTS = {"not_a_date": "31/02/2018", "unknown_code": "Elsewhere", "not_a_whole_number": "x", "wrong_field_count": None}
trying = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Add Phase.shrink to make an example that fails small; it takes minutes.
    phases=(Phase.generate,),
)


@dataclass(frozen=True)
class Row:
    """A line as it is sent, and what it means. Two spellings mean the same."""

    ref: int
    part: str
    note: str
    amount: tuple[str, str | None]
    state: tuple[str, str]
    fault: str | None
    operation: str

    def text(self, *, is_feed: bool) -> str:
        if self.fault == "wrong_field_count":
            return f"{self.ref},{self.part},{CANARY}"
        spoilt = {reason: text for reason, text in FAULTS.items() if reason == self.fault}
        fields = [
            spoilt.get("not_a_whole_number") or str(self.ref),
            self.part,
            CANARY if self.fault else self.note,
            self.amount[0],
            spoilt.get("not_a_date") or "05/10/2018",
            spoilt.get("unknown_code") or self.state[0],
        ]
        return ",".join([*fields, self.operation] if is_feed else fields)

    @property
    def meant(self) -> Line:
        amount = None if self.amount[1] is None else Decimal(self.amount[1])
        values = (self.note or None, amount, date(2018, 10, 5), self.state[1])
        key = None if self.fault == "not_a_whole_number" else (self.ref, self.part)
        return Line(key, values, self.fault, self.operation)


@dataclass(frozen=True)
class Deliver:
    """Deliver rows as the extract of a day, or an earlier delivery once more."""

    day: int
    rows: tuple[Row, ...]
    again: int | None


@dataclass(frozen=True)
class Tamper:
    """Take the fingerprints of some rows away, or let the contract change so that none fits."""

    ref: int | None


ROWS = st.builds(
    Row,
    ref=st.integers(1, 3),
    part=st.sampled_from(["a", "A"]),
    note=st.sampled_from(["", "é"]),
    amount=st.sampled_from([("1.10", "1.10"), ("1.1", "1.10"), ("-1.10", "-1.10"), ("", None)]),
    state=st.sampled_from([("Open", "Open"), (" open", "Open")]),
    fault=st.sampled_from([None] * 10 + list(FAULTS)),
    operation=st.sampled_from(trial.OPERATIONS),
)
DELIVERIES = st.builds(
    Deliver,
    day=st.integers(0, 5),
    rows=st.lists(ROWS, min_size=1, max_size=7).map(tuple),
    again=st.none() | st.none() | st.integers(0, 9),
)
STEPS = st.lists(
    DELIVERIES | DELIVERIES | DELIVERIES | st.just("withdraw") | st.builds(Tamper, st.none() | st.integers(1, 3)),
    min_size=2,
    max_size=9,
)
# In which order runs state their days: knowledge is never dated back.
RUN_DAYS = st.lists(st.integers(6, 12), min_size=9, max_size=9)


class Trial:
    """One council's table in the database, beside the model of it."""

    def __init__(self, warehouse: Warehouse, admin: psycopg.Connection[Any], contract: Path, council: str) -> None:
        self.warehouse, self.admin, self.contract, self.council = warehouse, admin, contract, council
        self.is_feed = "operationColumn" in contract.read_text()
        self.model = Model(is_feed=self.is_feed)
        self.sent: list[Deliver] = []

    def deliver(self, step: Deliver, run_day: int) -> None:
        known_on = DAY_ZERO + timedelta(days=run_day)
        if step.again is not None and self.sent:
            step = self.sent[step.again % len(self.sent)]
        self.sent.append(step)
        day = DAY_ZERO + timedelta(days=step.day)
        header = f"{trial.HEADER},OPERATION" if self.is_feed else trial.HEADER
        content = trial.extract(*(row.text(is_feed=self.is_feed) for row in step.rows), header=header)
        self.warehouse.land(f"{self.council}/trial/things_{day}.csv", content)
        outcome = ingest(self.warehouse.settings, business_date=known_on)
        expected = self.model.deliver(day, known_on, content.encode(), [row.meant for row in step.rows])
        assert outcome == (Outcome(accepted=1) if expected else Outcome(unchanged=1))
        if expected:
            batch_id, *counts = self.fetch(
                f"select batch_id, rows_in, {', '.join(f'rows_{what}' for what in COUNTED[1:])} from audit.batch "
                "where council_code = %s order by batch_id desc limit 1"
            )[0]
            assert dict(zip(COUNTED, counts, strict=True)) == {what: expected.counts[what] for what in COUNTED}
            found = self.admin.execute(
                "select line_number, reason_code from quarantine.rejected_row where batch_id = %s", [batch_id]
            ).fetchall()
            assert sorted(found) == sorted(expected.rejects)

    def withdraw(self, run_day: int) -> None:
        if not self.model.standing:
            return
        ((batch_id,),) = self.fetch(
            "select max(batch_id) from audit.batch where council_code = %s and withdrawn_on is null"
        )
        known_on = DAY_ZERO + timedelta(days=run_day)
        done = withdraw(self.warehouse.settings, batch_id, "somebody", "it was wrong", known_on)
        assert (done.closed, done.reopened) == self.model.withdraw(known_on)

    def tamper(self, step: Tamper) -> None:
        if step.ref is None:
            self.contract.write_text(self.contract.read_text() + "# another edition\n")
        elif self.sent:
            self.admin.execute("update history.trial__things set fingerprint = null where ref = %s", [step.ref])

    def agree(self) -> None:
        """Hold what history says against the model."""
        if not self.sent:
            return
        versions = self.fetch(
            "select known_from, known_to, ref, part, note, amount, seen, state from history.trial__things "
            "where council_code = %s"
        )

        def known_at(is_known: Callable[[date, date | None], bool]) -> Rows:
            rows = [((ref, part), tuple(values)) for start, end, ref, part, *values in versions if is_known(start, end)]
            assert len(rows) == len(dict(rows)), "two versions of a row are known at once"
            return dict(rows)  # type: ignore[arg-type]

        assert known_at(lambda start, end: end is None) == self.model.open
        for day, rows in self.model.at_end_of.items():
            assert known_at(lambda start, end, day=day: start <= day and (end is None or end > day)) == rows, day
        assert {((ref, part), tuple(values)) for _, _, ref, part, *values in versions} >= self.model.ever
        assert len(versions) == self.model.version_count
        if not self.is_feed:
            waiting = self.fetch(
                "select reason_code, count(*) from quarantine.rejected_row "
                "where council_code = %s and cleared_by_batch_id is null group by 1"
            )
            assert dict(waiting) == dict(self.model.waiting())

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return self.admin.execute(query, [self.council]).fetchall()  # type: ignore[arg-type]

    def live(self, steps: list[Any], run_days: list[int]) -> None:
        for step, run_day in zip(steps, run_days, strict=False):
            if isinstance(step, Deliver):
                self.deliver(step, run_day)
            elif isinstance(step, Tamper):
                self.tamper(step)
            else:
                self.withdraw(run_day)
            self.agree()


@pytest.mark.parametrize("delivery", ["full_snapshot", "changes"])
def test_history_says_what_the_model_says(
    warehouse: Warehouse,
    delivery: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    is_feed = delivery == "changes"
    said = [*trial.columns(), trial.operation()] if is_feed else trial.columns()
    stated = {"delivery": delivery, **({"operationColumn": "operation"} if is_feed else {})}
    contract = trial.write_contract(tmp_path, said=said, settings=stated)
    trial.use(monkeypatch, tmp_path)
    numbers = itertools.count()
    with warehouse.admin() as admin:

        @trying
        @given(steps=STEPS, run_days=RUN_DAYS)
        def whatever_arrives(steps: list[Any], run_days: list[int]) -> None:
            Trial(warehouse, admin, contract, f"council{next(numbers)}").live(steps, run_days)

        whatever_arrives()
        reasons = admin.execute("select distinct reason_code from quarantine.rejected_row").fetchall()
    assert {reason for (reason,) in reasons} >= set(FAULTS)
    reports = [path.read_text() for path in warehouse.settings.home.glob("rejects/**/*.csv")]
    assert reports
    assert CANARY not in "".join([*capsys.readouterr(), *reports])
