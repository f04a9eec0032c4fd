"""Evaluates the declared checks on the very tables that will be published, and keeps counts alone."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect, url
from carehouse.settings import Settings
from expectations.arguments import RowsWhere, UnexpectedRows
from expectations.catalogue import Catalogue
from expectations.counts import Counts, Rule, class_name
from expectations.each_mart import RowsOfEveryCouncil, delivering_councils
from expectations.imports import import_later
from expectations.parts import Part, parts
from expectations.plan import ALL_TABLES, DeclaredCheck
from expectations.suite import PUBLICATION
from expectations.verdict import CheckResult, Outcome

if TYPE_CHECKING:
    from expectations.engine import Engine

# While the server counts for one part, the questions of the next are put together.
AT_ONCE = 2

Connection = psycopg.Connection[tuple[Any, ...]]


def evaluate(
    settings: Settings,
    build_id: int,
    declared: Sequence[DeclaredCheck],
    catalogue: Catalogue,
    counted: Mapping[str, int],
) -> list[CheckResult]:
    """Give what came of each declared check of build `build_id`, in the order they were declared.

    A missing table or a query that cannot run gives the outcome error. An empty table gives failed, since not-null
    and uniqueness hold on nothing, unless it may be empty or nobody delivers what it is made of. `counted` gives the
    rows of tables that have been counted already. Everything is read in read-only sessions of the gate's own role, in
    which queries can ask for `carehouse.build_id` and for `carehouse.suites`, the marts that have a suite.
    """
    import_later()
    session = {
        "default_transaction_read_only": "on",
        "carehouse.build_id": str(build_id),
        "carehouse.suites": ",".join(sorted({check.suite for check in declared} - {PUBLICATION})),
    }
    with connect(settings, Role.GATE, autocommit=True) as connection:
        for name, value in session.items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        rows = _rows(connection, declared, catalogue, counted)
        results = _known_unasked(connection, declared, rows)
    known = {result.name for result in results}
    results += _ask(settings, session, [check for check in declared if check.name not in known], rows)
    order = {check.name: place for place, check in enumerate(declared)}
    return sorted(results, key=lambda result: order[result.name])


def _rows(
    connection: Connection, declared: Sequence[DeclaredCheck], catalogue: Catalogue, counted: Mapping[str, int]
) -> dict[str, int | str]:
    """Give how many rows each table has, or why that is not known."""
    rows: dict[str, int | str] = dict(counted)
    for table in {check.table for check in declared if check.table} - set(counted):
        every_row = sql.SQL("select count(*) from {}").format(sql.Identifier("candidate", table))
        rows[table] = _count(connection, every_row) if table in catalogue.columns else "the table was not built"
    return rows


def _known_unasked(
    connection: Connection, declared: Sequence[DeclaredCheck], rows: Mapping[str, int | str]
) -> list[CheckResult]:
    """Give what came of the checks that have nothing to ask: of no table, of an empty one, or not about it."""
    why = {
        table: _why_empty(connection, [check for check in declared if check.table == table])
        for table, found in rows.items()
        if found == 0
    }
    known: list[CheckResult] = []
    for check in declared:
        found = rows[check.table] if check.table else None
        if isinstance(found, str):
            known.append(_result(check, Outcome.ERROR, reason=found))
        # A query that says itself what it looked at may find that rows should be there; a condition cannot.
        elif found == 0 and (isinstance(check.arguments, RowsWhere) or not _says_what_it_looked_at(check)):
            known.append(_of_nothing(check, why[check.table or ""]))
        elif check.arguments is None:
            known.append(_result(check, Outcome.NOT_APPLICABLE, reason=check.why_not))
    return known


def _ask(
    settings: Settings, session: Mapping[str, str], checks: Sequence[DeclaredCheck], rows: Mapping[str, int | str]
) -> list[CheckResult]:
    from expectations.engine import open_engines

    numbers = {table: found for table, found in rows.items() if isinstance(found, int)}
    with (
        open_engines(url(settings, Role.GATE, driver="psycopg2"), session, AT_ONCE) as engines,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        free: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            free.put(engine)

        def judge(part: Part) -> list[CheckResult]:
            engine = free.get()
            try:
                return _judge(engine, part, numbers)
            finally:
                free.put(engine)

        return [result for judged in pool.map(judge, parts(checks, numbers)) for result in judged]


def _why_empty(connection: Connection, checks: Sequence[DeclaredCheck]) -> str:
    tables = next((check.delivered_by for check in checks if check.delivered_by), ())
    if tables and _count(connection, f"select count(*) from ({delivering_councils(tables)}) as delivering") == 0:
        return f"the table is empty: {_undelivered(tables)}"
    return "the table is empty"


def _undelivered(tables: Sequence[str]) -> str:
    return f"no council delivers {' and '.join(tables)}"


def _says_what_it_looked_at(check: DeclaredCheck) -> bool:
    match check.arguments:
        case UnexpectedRows() as rows:
            return rows.rows_checked is not None
        case RowsWhere() as where:
            return where.of is not None
    return False


def _judge(engine: "Engine", part: Part, rows: Mapping[str, int]) -> list[CheckResult]:
    rules = [Rule(check.check.expectation, check.arguments) for check in part.checks if check.arguments]
    try:
        answers = engine.evaluate(part.table, rules)
    except Exception as error:
        # Whatever went wrong, these checks did not pass; the verdict decides what that means.
        answers = [Counts(False, None, None, error=class_name(error))] * len(rules)
    return [
        _of_counts(check, counts, rows.get(check.table or ""))
        for check, counts in zip(part.checks, answers, strict=True)
        if counts
    ]


def _of_counts(check: DeclaredCheck, counts: Counts, rows: int | None) -> CheckResult:
    if counts.error:
        return _result(check, Outcome.ERROR, reason=counts.error)
    checked = counts.checked
    if isinstance(check.arguments, RowsWhere | UnexpectedRows):
        if not _says_what_it_looked_at(check):
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
