"""The declared checks: each check of each suite on each table it is about, known before any is evaluated."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from expectations.catalogue import Catalogue
from expectations.suite import TABLE, TEXT, Check, Suite
from expectations.vocabulary import Arguments, OfEachMart, UnexpectedRows

ALL_TABLES = "all marts"
# Numbers of records: of ten digits one in eleven has the check digit of an NHS number. They are judged as a column.
KEY_ENDINGS = ("_ref", "_id", "_key")


@dataclass(frozen=True)
class DeclaredCheck:
    """One check on one table, or on the publication as a whole (`table` is None).

    `arguments` have every placeholder filled in; None when the table has no column that the check is about.
    """

    suite: str
    check_id: str
    table: str | None
    check: Check
    arguments: Arguments | None
    owner: str
    allow_empty: bool
    delivered_by: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str]:
        """Give the suite and the check's id, which no other declared check shares."""
        return self.suite, self.check_id


def plan(suites: Iterable[Suite], catalogue: Catalogue) -> tuple[DeclaredCheck, ...]:
    """List what has to be evaluated.

    A check `scope: every_table` is declared once for each table that exists or has a suite, so that neither a
    missing table nor an unexpected one escapes it.
    """
    given = tuple(suites)
    tables = sorted({*catalogue.columns, *(suite.table for suite in given if suite.table)})
    declared: list[DeclaredCheck] = []
    for suite in given:
        for check in suite.checks:
            if isinstance(check.arguments, UnexpectedRows) and check.scope:
                declared += (_on_table(suite, check, check.arguments, table, catalogue) for table in tables)
            else:
                declared.append(_declare(suite, check, check.id, suite.table, _written_out(suite, check.arguments)))
    return tuple(declared)


def _written_out(suite: Suite, rule: Arguments) -> Arguments:
    return rule.on(suite.table, suite.delivered_by) if isinstance(rule, OfEachMart) and suite.table else rule


def _on_table(suite: Suite, check: Check, rule: UnexpectedRows, table: str, catalogue: Catalogue) -> DeclaredCheck:
    columns = [
        column
        for column, holds_text in catalogue.columns.get(table, {}).items()
        if holds_text and not column.endswith(KEY_ENDINGS)
    ]
    text = sql.SQL("concat_ws(' | ', {})").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    )
    query = rule.query.replace(TABLE, sql.Identifier("candidate", table).as_string())
    arguments = rule.model_copy(update={"query": query.replace(TEXT, text.as_string())})
    applies = bool(columns) or TEXT not in rule.query or table not in catalogue.columns
    return _declare(suite, check, f"{check.id}.{table}", table, arguments if applies else None)


def _declare(
    suite: Suite, check: Check, check_id: str, table: str | None, arguments: Arguments | None
) -> DeclaredCheck:
    return DeclaredCheck(
        suite=suite.name,
        check_id=check_id,
        table=table,
        check=check,
        arguments=arguments,
        owner=check.owner or suite.owner,
        allow_empty=suite.allow_empty if check.allow_empty is None else check.allow_empty,
        delivered_by=suite.delivered_by,
    )
