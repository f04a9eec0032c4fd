"""The gate: judges one build, keeps the verdict with every check's counts, and says it to a person."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from expectations.catalogue import Catalogue
from expectations.evaluate import evaluate
from expectations.plan import plan
from expectations.suite import SUITES, SuiteError, compare, load
from expectations.verdict import CheckResult, Decision, Outcome, Severity, decide


@dataclass(frozen=True)
class GateReport:
    """One judgement of one build, as it is kept in audit.gate_run and audit.gate_check."""

    gate_run_id: int
    build_id: int
    decision: Decision
    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Say whether the build may be published."""
        return self.decision.passed

    @property
    def verdict(self) -> str:
        """Give the decision in one word: passed or refused."""
        return self.decision.verdict


def run_gate(settings: Settings, build_id: int, suites: Path = SUITES) -> GateReport:
    """Judge build `build_id` by the checks in the folder `suites`, on the candidate tables as they are now.

    The verdict and what came of each check are kept in one transaction, for ever. A build that cannot be
    judged, because a suite cannot be relied upon, is kept as refused, so that an earlier pass does not stand.

    Raises:
        SuiteError: a suite is not understood, or names a column or measure that does not exist.
        CarehouseError: there is no such build, it is not finished, or its tables have been published already;
            nothing is kept then.
    """
    with connect(settings, Role.GATE, autocommit=True) as connection:
        found = connection.execute("select state from audit.build where build_id = %s", [build_id]).fetchone()
        if found is None or found[0] != "built":
            state = "does not exist" if found is None else f"is {found[0]}, not built"
            raise CarehouseError(f"Build {build_id} {state}: there is nothing to judge. Run: carehouse build")
        catalogue = Catalogue.read(connection)
    if not catalogue.columns:
        raise CarehouseError(
            f"There are no candidate tables: build {build_id} has been published, or its tables were dropped. "
            "Run: carehouse build"
        )
    try:
        declared_suites = load(suites)
        compare(declared_suites, catalogue)
    except SuiteError as error:
        _keep(settings, build_id, Decision(0, 0, 0, 0, (str(error),)), ())
        raise
    declared = plan(declared_suites, catalogue)
    say(f"gate: {len(declared)} checks of {len(declared_suites)} suites on build {build_id}")
    results = tuple(evaluate(settings, build_id, declared, catalogue))
    decision = decide((check.name for check in declared), results)
    return GateReport(_keep(settings, build_id, decision, results), build_id, decision, results)


def render(report: GateReport) -> str:
    """Say the verdict first, then each broken check: what it protects, how far off it is, and whom to ask."""
    decision = report.decision
    why = f": {'; '.join(decision.reasons)}" if decision.reasons else ""
    lines = [
        f"{report.verdict.upper()}  build {report.build_id}{why}",
        f"{decision.checks_evaluated} of {decision.checks_declared} checks evaluated, "
        f"{decision.critical_failed} critical and {decision.warning_failed} warnings broken",
    ]
    order = list(Severity)
    for result in sorted(report.results, key=lambda result: order.index(result.severity)):
        if result.is_broken:
            lines += ["", *_explain(result)]
    return "\n".join(lines)


def _explain(result: CheckResult) -> Iterator[str]:
    yield f"{result.severity}  {result.suite} / {result.check_id}  ({result.table_name})"
    yield f"  protects   {result.says}"
    yield f"  found      {'could not run: ' if result.outcome is Outcome.ERROR else ''}{result.reason}"
    if result.measures:
        yield f"  affects    {', '.join(result.measures)}"
    yield f"  ask        {result.owner}"


def _keep(settings: Settings, build_id: int, decision: Decision, results: Sequence[CheckResult]) -> int:
    with connect(settings, Role.GATE) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into audit.gate_run"
            " (build_id, verdict, checks_declared, checks_evaluated, critical_failed, warning_failed)"
            " values (%s, %s, %s, %s, %s, %s) returning gate_run_id",
            [
                build_id,
                decision.verdict,
                decision.checks_declared,
                decision.checks_evaluated,
                decision.critical_failed,
                decision.warning_failed,
            ],
        )
        (gate_run_id,) = cursor.fetchone() or ()
        cursor.executemany(
            "insert into audit.gate_check"
            " (gate_run_id, suite, check_id, table_name, severity, dimension, outcome,"
            " rows_checked, rows_failed, says, owner, measures, reason)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [_row(gate_run_id, result) for result in results],
        )
        return int(gate_run_id)


def _row(gate_run_id: int, result: CheckResult) -> list[object]:
    values = [", ".join(value) or None if isinstance(value, tuple) else value for value in astuple(result)]
    return [gate_run_id, *values]
