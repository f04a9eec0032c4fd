"""The declared checks: each check of each suite on each table it is about, known before any is evaluated."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from expectations.arguments import Arguments, Mart, OfEachMart, UnexpectedRows
from expectations.catalogue import Catalogue
from expectations.suite import KEYS, TABLE, TEXT, Check, Suite

ALL_TABLES = "all marts"
NO_TEXT = "no column of the table holds text"
NO_KEYS = "no column of the table numbers records"
# What the names of the tables of each scope begin with.
SCOPES = {"every_table": "", "every_fact": "fct_", "every_kpi_table": "kpi_"}
# Numbers of records: of ten digits one in eleven has the check digit of an NHS number. They are judged as a column.
KEY_ENDINGS = ("_ref", "_id", "_key")


@dataclass(frozen=True)
class DeclaredCheck:
    """One check on one table, or on the publication as a whole (`table` is None).

    `arguments` have every placeholder filled in; None when the check does not apply to the table, as `why_not` says.
    """

    suite: str
    check_id: str
    table: str | None
    check: Check
    arguments: Arguments | None
    why_not: str | None
    owner: str
    allow_empty: bool
    delivered_by: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str]:
        """Give the suite and the check's id, which no other declared check shares."""
        return self.suite, self.check_id


def plan(suites: Iterable[Suite], catalogue: Catalogue) -> tuple[DeclaredCheck, ...]:
    """List what has to be evaluated.

    A check with a scope is declared once for each table that exists or has a suite, so that neither a
    missing table nor an unexpected one escapes it.
    """
    given = tuple(suites)
    tables = sorted({*catalogue.columns, *(suite.table for suite in given if suite.table)})
    marts = {suite.name: suite.mart for suite in given if suite.table}
    declared: list[DeclaredCheck] = []
    for suite in given:
        for check in suite.checks:
            if not check.scope:
                rule = check.arguments
                said = rule.rule_for(suite.mart) if isinstance(rule, OfEachMart) else rule
                declared.append(_declare(suite, check, check.id, suite.table, said))
                continue
            for table in tables:
                if table.startswith(SCOPES[check.scope]):
                    said = _on_table(check.arguments, marts.get(table, Mart(table)), catalogue)
                    declared.append(_declare(suite, check, f"{check.id}.{table}", table, said))
    return tuple(declared)


def _on_table(rule: Arguments, mart: Mart, catalogue: Catalogue) -> Arguments | str:
    if isinstance(rule, OfEachMart):
        return rule.rule_for(mart)
    return _of_text(rule, mart.name, catalogue) if isinstance(rule, UnexpectedRows) else rule


def _of_text(rule: UnexpectedRows, table: str, catalogue: Catalogue) -> UnexpectedRows | str:
    columns = catalogue.columns.get(table, {})
    texts = [column for column, holds_text in columns.items() if holds_text and not column.endswith(KEY_ENDINGS)]
    keys = [column for column in columns if column.endswith(KEY_ENDINGS) and column != "publication_id"]
    if columns and TEXT in rule.query and not texts:
        return NO_TEXT
    if columns and KEYS in rule.query and not keys:
        return NO_KEYS
    text = sql.SQL("concat_ws(' | ', {})").format(sql.SQL(", ").join(_as_text(column) for column in texts))
    pairs = sql.SQL(", ").join(sql.SQL("({}, {})").format(sql.Literal(column), _as_text(column)) for column in keys)
    query = rule.query.replace(TABLE, sql.Identifier("candidate", table).as_string())
    query = query.replace(TEXT, text.as_string()).replace(KEYS, pairs.as_string())
    return rule.model_copy(update={"query": query})


def _as_text(column: str) -> sql.Composed:
    return sql.SQL("{}::text").format(sql.Identifier(column))


def _declare(suite: Suite, check: Check, check_id: str, table: str | None, rule: Arguments | str) -> DeclaredCheck:
    return DeclaredCheck(
        suite=suite.name,
        check_id=check_id,
        table=table,
        check=check,
        arguments=None if isinstance(rule, str) else rule,
        why_not=rule if isinstance(rule, str) else None,
        owner=check.owner or suite.owner,
        allow_empty=suite.allow_empty if check.allow_empty is None else check.allow_empty,
        delivered_by=suite.delivered_by,
    )
