"""The gate: judges one build, keeps the verdict with every check's counts, and says it to a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from expectations.catalogue import Catalogue
from expectations.evaluate import evaluate
from expectations.exposures import Exposures
from expectations.imports import import_meanwhile
from expectations.mart_profile import count_marts
from expectations.plan import plan
from expectations.suite import SUITES, SuiteError, compare, load
from expectations.verdict import CheckResult, Decision, Outcome, Severity, decide


@dataclass(frozen=True)
class GateReport:
    """One judgement of one build, as it is kept in audit.gate_run and audit.gate_check.

    `broken_since` gives, for each broken check, the as-at day of the first build in an unbroken row that broke it.
    """

    gate_run_id: int
    build_id: int
    decision: Decision
    results: tuple[CheckResult, ...]
    broken_since: Mapping[tuple[str, str], date]
    exposures: Exposures

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
    import_meanwhile()
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
        _keep(settings, build_id, Decision(0, 0, 0, 0, (str(error),)), (), {})
        raise
    declared = plan(declared_suites, catalogue)
    say(f"gate: {len(declared)} checks of {len(declared_suites)} suites on build {build_id}")
    rows = count_marts(settings, build_id, (suite.mart for suite in declared_suites if suite.table), catalogue)
    results = tuple(evaluate(settings, build_id, declared, catalogue, rows))
    decision = decide((check.name for check in declared), results)
    broken_since = _broken_since(settings, build_id, results)
    gate_run_id = _keep(settings, build_id, decision, results, broken_since)
    return GateReport(gate_run_id, build_id, decision, results, broken_since, Exposures.read(settings.project))


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
            lines += ["", *_explain(report, result)]
    if not report.passed and report.results:
        lines += ["", "The last publication stays. The candidate stays for inspection, in the schema candidate."]
    return "\n".join(lines)


def _explain(report: GateReport, result: CheckResult) -> Iterator[str]:
    yield f"{result.severity}  {result.suite} / {result.check_id}  ({result.table_name})"
    yield f"  protects   {result.says}"
    yield f"  found      {'could not run: ' if result.outcome is Outcome.ERROR else ''}{result.reason}"
    if since := report.broken_since.get(result.name):
        yield f"  since      the figures as at {since:%d %B %Y}"
    if affected := [*result.measures, *report.exposures.of(result.table_name)]:
        yield f"  affects    {', '.join(affected)}"
    yield f"  ask        {result.owner}"


def _broken_since(settings: Settings, build_id: int, results: Sequence[CheckResult]) -> dict[tuple[str, str], date]:
    broken = [result.name for result in results if result.is_broken]
    with connect(settings, Role.GATE, autocommit=True) as connection:
        found = connection.execute(
            """
            select wanted.suite, wanted.check_id, coalesce(before.broken_since, judged.as_at_date)
            from unnest(%s::text[], %s::text[]) as wanted (suite, check_id)
            inner join audit.build as judged on judged.build_id = %s
            left join lateral (
                select evaluated.broken_since
                from audit.gate_check as evaluated
                where evaluated.suite = wanted.suite and evaluated.check_id = wanted.check_id
                order by evaluated.gate_run_id desc
                limit 1
            ) as before on true
            """,
            [[suite for suite, _ in broken], [check_id for _, check_id in broken], build_id],
        )
        return {(suite, check_id): since for suite, check_id, since in found}


def _keep(
    settings: Settings,
    build_id: int,
    decision: Decision,
    results: Sequence[CheckResult],
    broken_since: Mapping[tuple[str, str], date],
) -> int:
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
            " rows_checked, rows_failed, says, owner, measures, reason, broken_since)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [[*_row(gate_run_id, result), broken_since.get(result.name)] for result in results],
        )
        return int(gate_run_id)


def _row(gate_run_id: int, result: CheckResult) -> list[object]:
    values = [", ".join(value) or None if isinstance(value, tuple) else value for value in astuple(result)]
    return [gate_run_id, *values]
