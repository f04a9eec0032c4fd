"""The shipped suites on tables as dbt builds them: sound tables pass, and the fault planted for each check breaks it.

`tests/gate_faults/<suite>.yaml` holds for each check the SQL that plants its fault, or `{round: 2, sql: …}` where the
fault would hide others (an emptied table, say). A check of every table is broken in one of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from carehouse import strict_yaml
from carehouse.build import build
from carehouse.database import Role, connect
from carehouse.settings import Settings
from expectations.gate import GateReport, render, run_gate
from expectations.suite import load
from expectations.verdict import Outcome
from tests import read_project
from tests.conftest import Warehouse, fresh_warehouse

FAULTS = Path(__file__).parent / "gate_faults"
ROUNDS = (1, 2, 3)
AS_AT = date(2018, 10, 31)
# What the faults write where nothing of a person may stand.
PLANTED_VALUES = ("999 000 0018", "ng2 7qp", "anna@", "07700 900461")

pytestmark = pytest.mark.any_server


@cache
def faults() -> dict[int, dict[str, list[str]]]:
    """Give the statements of each round, by check."""
    rounds: dict[int, dict[str, list[str]]] = {number: {} for number in ROUNDS}
    for file in sorted(FAULTS.glob("*.yaml")):
        for check_id, said in strict_yaml.read(file.read_text(encoding="utf-8")).items():
            number, planted = (said["round"], said["sql"]) if isinstance(said, dict) else (1, said)
            assert check_id not in rounds[number], f"{file.name}: {check_id} is planted already"
            rounds[number][check_id] = [planted] if isinstance(planted, str) else planted
    return rounds


def test_every_shipped_check_has_a_fault_and_every_fault_a_check() -> None:
    shipped = {check.id for suite in load() for check in suite.checks}
    planted = [check_id for round_faults in faults().values() for check_id in round_faults]
    assert len(shipped) > 100
    assert len(planted) == len(set(planted))
    assert shipped - set(planted) == set()
    assert set(planted) - shipped == set()


@dataclass(frozen=True)
class Built:
    """A build of an invented council and the printed papers that nobody has judged yet."""

    warehouse: Warehouse
    build_id: int

    @contextmanager
    def copied(self, name: str) -> Iterator[Warehouse]:
        """Copy its database, so that one build serves every round; drop the copy afterwards."""
        address = self.warehouse.environment["CAREHOUSE_DATABASE_URL"]
        original = address.rpartition("/")[2]
        with connect(self.warehouse.settings, Role.ADMIN, autocommit=True, database="postgres") as admin:
            admin.execute(f"create database {name} template {original}")  # type: ignore[call-overload]
            environment = {
                **self.warehouse.environment,
                "CAREHOUSE_DATABASE_URL": f"{address.removesuffix(original)}{name}",
            }
            yield Warehouse(Settings.load(environment), environment)
            admin.execute(f"drop database {name} with (force)")  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def built(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Load and build once."""
    with fresh_warehouse(server, tmp_path_factory.mktemp("gate") / "home") as fresh:
        fresh.land_all_examples()
        for arguments in (("synth", "--people", "600", "--seed", "7"), ("ingest", "--business-date", str(AS_AT))):
            done = fresh.command(*arguments)
            assert done.returncode == 0, done.stderr
        read_project.hand_over(fresh.settings)
        yield Built(fresh, build(fresh.settings, AS_AT))


def outcomes(report: GateReport) -> dict[str, set[Outcome]]:
    """Give what came of each check; those of one check on every table together."""
    found: dict[str, set[Outcome]] = defaultdict(set)
    for result in report.results:
        found[result.check_id.partition(".")[0]].add(result.outcome)
    return found


def test_sound_tables_pass_every_critical_check(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.engine import Engine

    calls: dict[str, int] = Counter()

    def counted(name: str) -> None:
        original = getattr(Engine, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(Engine, name, call)

    counted("evaluate")
    counted("_ask")
    with built.copied("sound") as warehouse:
        with warehouse.admin() as admin:
            # One record number in eleven has the check digit of an NHS number, and may stand in every row.
            admin.execute("alter table candidate.fct_services add column team_key text default '9990000018'")
        report = run_gate(warehouse.settings, built.build_id)

    # A check that cannot run beside others is asked again by itself: right, but many times as slow.
    assert calls["_ask"] == calls["evaluate"] > 0
    assert report.passed, render(report)
    assert report.decision.checks_declared == len(report.results) > 100
    assert Outcome.ERROR not in set().union(*outcomes(report).values())


@pytest.mark.parametrize("number", ROUNDS)
def test_the_fault_planted_for_each_check_breaks_it(
    number: int, built: Built, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = faults()[number]
    with built.copied(f"faulty_{number}") as warehouse:
        with warehouse.admin() as admin:
            for statements in planted.values():
                for statement in statements:
                    admin.execute(statement)  # type: ignore[call-overload]
            admin.execute("grant select on all tables in schema candidate to carehouse_gate")
        report = run_gate(warehouse.settings, built.build_id)
        kept = warehouse.rows("select to_jsonb(gate_check) from audit.gate_check")

    found = outcomes(report)
    unbroken = {check_id for check_id in planted if not found[check_id] & {Outcome.FAILED, Outcome.ERROR}}
    assert unbroken == set(), render(report)
    assert not report.passed
    said = capfd.readouterr()
    for text in (render(report), repr(report), said.out, said.err, str(kept)):
        for value in PLANTED_VALUES:
            assert value not in text


def test_what_counts_as_a_postcode(built: Built) -> None:
    (check,) = (check for suite in load() for check in suite.checks if check.id == "no_postcode")
    condition = str(check.arguments.given()["condition"])
    texts = {
        "Reviews in NG2 7QP": True,
        "NG2 7ST": True,
        "EC1A1BB, W1A 0AX": True,
        "Reviews in ng2 7qp": True,
        "see w1a 0ax.": True,
        "plan b1 2nd phase": False,
        "NG2": False,
        "K001 of 2018/19": False,
        "fa99ng27qp01": False,
    }
    found = {}
    for text in texts:
        written = f"'{text}'"
        ((found[text],),) = built.warehouse.rows(f"select {condition.replace('{text}', written)}")
    assert found == texts
