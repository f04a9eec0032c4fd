"""Evaluates the declared checks on the very tables that will be published, and keeps counts alone."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect, url
from carehouse.settings import Settings
from expectations.arguments import UnexpectedRows
from expectations.catalogue import Catalogue
from expectations.counts import Counts, Rule, class_name
from expectations.each_mart import RowsOfEveryCouncil, delivering_councils
from expectations.imports import import_later
from expectations.plan import ALL_TABLES, DeclaredCheck
from expectations.suite import PUBLICATION
from expectations.verdict import CheckResult, Outcome

if TYPE_CHECKING:
    from expectations.engine import Engine

# While the server counts for one table, the questions about the next are put together.
AT_ONCE = 2

Connection = psycopg.Connection[tuple[Any, ...]]


def evaluate(
    settings: Settings, build_id: int, declared: Sequence[DeclaredCheck], catalogue: Catalogue
) -> list[CheckResult]:
    """Give what came of each declared check of build `build_id`, in the order they were declared.

    A missing table or a query that cannot run gives the outcome error. An empty table gives failed, since not-null
    and uniqueness hold on nothing, unless it may be empty or nobody delivers what it is made of. Everything is read
    in read-only sessions of the gate's own role, in which queries can ask for `carehouse.build_id` and for
    `carehouse.suites`, the marts that have a suite.
    """
    import_later()
    from expectations.engine import open_engines

    session = {
        "default_transaction_read_only": "on",
        "carehouse.build_id": str(build_id),
        "carehouse.suites": ",".join(sorted({check.suite for check in declared} - {PUBLICATION})),
    }
    results: list[CheckResult] = []
    with (
        connect(settings, Role.GATE, autocommit=True) as connection,
        open_engines(url(settings, Role.GATE, driver="psycopg2"), session, AT_ONCE) as engines,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        for name, value in session.items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        free: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            free.put(engine)

        def judge(part: tuple[str | None, list[DeclaredCheck]]) -> list[CheckResult]:
            engine = free.get()
            try:
                return _judge(engine, connection, *part, catalogue)
            finally:
                free.put(engine)

        for judged in pool.map(judge, _by_table(declared)):
            results += judged
    order = {check.name: place for place, check in enumerate(declared)}
    return sorted(results, key=lambda result: order[result.name])


def _by_table(declared: Sequence[DeclaredCheck]) -> Iterator[tuple[str | None, list[DeclaredCheck]]]:
    tables = dict.fromkeys(check.table for check in declared)
    return ((table, [check for check in declared if check.table == table]) for table in tables)


def _judge(
    engine: "Engine",
    connection: Connection,
    table: str | None,
    checks: Sequence[DeclaredCheck],
    catalogue: Catalogue,
) -> list[CheckResult]:
    rows: int | None = None
    if table is not None:
        if table not in catalogue.columns:
            return [_result(check, Outcome.ERROR, reason="the table was not built") for check in checks]
        every_row = sql.SQL("select count(*) from {}").format(sql.Identifier("candidate", table))
        counted = _count(connection, every_row)
        if isinstance(counted, str):
            return [_result(check, Outcome.ERROR, reason=counted) for check in checks]
        if counted == 0:
            # A query that says itself what it looked at may find that rows should be there.
            looking = [check for check in checks if _says_what_it_looked_at(check)]
            why = _why_empty(connection, checks)
            nothing = [_of_nothing(check, why) for check in checks if check not in looking]
            return [*nothing, *(_judge_rows(engine, table, looking, 0) if looking else [])]
        rows = counted
    return _judge_rows(engine, table, checks, rows)


def _why_empty(connection: Connection, checks: Sequence[DeclaredCheck]) -> str:
    tables = next((check.delivered_by for check in checks if check.delivered_by), ())
    if tables and _count(connection, f"select count(*) from ({delivering_councils(tables)}) as delivering") == 0:
        return f"the table is empty: {_undelivered(tables)}"
    return "the table is empty"


def _undelivered(tables: Sequence[str]) -> str:
    return f"no council delivers {' and '.join(tables)}"


def _says_what_it_looked_at(check: DeclaredCheck) -> bool:
    return isinstance(check.arguments, UnexpectedRows) and check.arguments.rows_checked is not None


def _judge_rows(
    engine: "Engine", table: str | None, checks: Sequence[DeclaredCheck], rows: int | None
) -> list[CheckResult]:
    applicable = [check for check in checks if check.arguments]
    rules = [Rule(check.check.expectation, check.arguments) for check in applicable if check.arguments]
    try:
        answers = engine.evaluate(table, rules)
    except Exception as error:
        # Whatever went wrong, these checks did not pass; the verdict decides what that means.
        answers = [Counts(False, None, None, error=class_name(error))] * len(rules)
    return [
        *(_result(check, Outcome.NOT_APPLICABLE, reason=check.why_not) for check in checks if not check.arguments),
        *(_of_counts(check, counts, rows) for check, counts in zip(applicable, answers, strict=True) if counts),
    ]


def _of_counts(check: DeclaredCheck, counts: Counts, rows: int | None) -> CheckResult:
    if counts.error:
        return _result(check, Outcome.ERROR, reason=counts.error)
    checked = counts.checked
    if isinstance(check.arguments, UnexpectedRows):
        if check.arguments.rows_checked is None:
            checked = rows
        elif checked is None:
            return _result(check, Outcome.ERROR, reason="rows_checked gives no number")
        if checked == 0:
            asks_for_rows = isinstance(check.check.arguments, RowsOfEveryCouncil)
            return _of_nothing(
                check, _undelivered(check.delivered_by) if asks_for_rows else "there was nothing to look at"
            )
    elif checked == 0:
        return _result(check, Outcome.NOT_APPLICABLE, 0, 0, "no row has a value to look at")
    if counts.success:
        return _result(check, Outcome.PASSED, checked, counts.failed)
    found = f"{checked} rows" if counts.failed is None else f"{counts.failed} broken of {checked} looked at"
    return _result(check, Outcome.FAILED, checked, counts.failed, found)


def _of_nothing(check: DeclaredCheck, reason: str) -> CheckResult:
    return _result(check, Outcome.NOT_APPLICABLE if check.allow_empty else Outcome.FAILED, 0, 0, reason)


def _count(connection: Connection, query: str | sql.Composed) -> int | str:
    """Give the one figure that `query` finds, or the class of the error."""
    try:
        found = connection.execute(query.encode() if isinstance(query, str) else query).fetchone()
        return int(found[0]) if found else 0
    except (psycopg.Error, TypeError, ValueError) as error:
        return class_name(error)


def _result(
    declared: DeclaredCheck,
    outcome: Outcome,
    rows_checked: int | None = None,
    rows_failed: int | None = None,
    reason: str | None = None,
) -> CheckResult:
    return CheckResult(
        suite=declared.suite,
        check_id=declared.check_id,
        table_name=declared.table or ALL_TABLES,
        severity=declared.check.severity,
        dimension=declared.check.dimension,
        outcome=outcome,
        rows_checked=rows_checked,
        rows_failed=rows_failed,
        says=declared.check.says,
        owner=declared.owner,
        measures=tuple(declared.check.measures),
        reason=reason,
    )
