"""The declared checks: each check of each suite on each table it is about, known before any is evaluated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from expectations.arguments import Arguments, Mart, NoRowWhere, OfEachMart, RowsWhere, UnexpectedRows
from expectations.catalogue import Catalogue
from expectations.suite import KEYS, TABLE, TEXT, Check, Suite
from expectations.vocabulary import ColumnList, Unique

ALL_TABLES = "all marts"
NO_TEXT = "no column of the table holds text"
NO_KEYS = "no column of the table numbers records"
# What the names of the tables of each scope begin with.
SCOPES = {"every_table": "", "every_fact": "fct_", "every_kpi_table": "kpi_"}
# Numbers of records: of ten digits one in eleven has the check digit of an NHS number. They are judged as a column.
KEY_ENDINGS = ("_ref", "_id", "_key")
EVERY_TABLE_HAS = ("publication_id", "council_code")
_ROWS_ALIKE = """(
    select {by}, concat_ws(' | ', {texts}) as row_text, count(*) as row_count
    from {table}
    group by {by}, {texts}
)"""
_KEY_IS_GONE = """
    select 'no key'
    where not exists (
        select
        from pg_catalog.pg_index
        where
            indrelid = to_regclass({table})
            and indisprimary
            and indimmediate
            and indisvalid
            and not exists (
                select
                from pg_catalog.pg_attribute
                where attrelid = indrelid and attnum = any (indkey) and attname <> all ({columns}::text[])
            )
    )
"""


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
                said = _on_mart(check.arguments, suite.mart, catalogue)
                declared.append(_declare(suite, check, check.id, suite.table, said))
                continue
            for table in tables:
                if table.startswith(SCOPES[check.scope]):
                    said = _on_table(check.arguments, marts.get(table, Mart(table)), catalogue)
                    declared.append(_declare(suite, check, f"{check.id}.{table}", table, said))
    return tuple(declared)


def _on_mart(rule: Arguments, mart: Mart, catalogue: Catalogue) -> Arguments | str:
    match rule:
        case OfEachMart():
            return rule.rule_for(mart)
        case NoRowWhere() if rule.by:
            return _of_rows_alike(rule, mart, catalogue)
        case NoRowWhere():
            table = sql.Identifier("candidate", mart.name).as_string()
            return RowsWhere(condition=rule.condition, of=rule.of, source=table, count="count(*)")
        case ColumnList() | Unique() if catalogue.keeps_unique(mart.name, rule.columns()):
            return _key_stands(mart.name, rule.columns())
    return rule


def _on_table(rule: Arguments, mart: Mart, catalogue: Catalogue) -> Arguments | str:
    match rule:
        case OfEachMart():
            return rule.rule_for(mart)
        case NoRowWhere():
            return _of_rows_alike(rule, mart, catalogue)
        case UnexpectedRows():
            return _of_keys(rule, mart.name, catalogue)
    return rule


def _key_stands(table: str, columns: Sequence[str]) -> UnexpectedRows:
    """Ask whether the key that lets no two rows be alike still stands: what the database forbids, nobody need count."""
    return UnexpectedRows(
        query=sql.SQL(_KEY_IS_GONE)
        .format(table=sql.Literal(sql.Identifier("candidate", table).as_string()), columns=sql.Literal([*columns]))
        .as_string()
    )


def _of_rows_alike(rule: NoRowWhere, mart: Mart, catalogue: Catalogue) -> RowsWhere | str:
    """Judge rows with the same texts once: most columns of text are codes, of few values."""
    columns = catalogue.columns.get(mart.name, {})
    texts = [column for column, holds_text in columns.items() if holds_text and not column.endswith(KEY_ENDINGS)]
    if columns and TEXT in rule.condition and not texts:
        return NO_TEXT
    source = sql.SQL(_ROWS_ALIKE).format(
        by=sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys((*EVERY_TABLE_HAS, *mart.judged_by)))),
        texts=sql.SQL(", ").join(_as_text(column) for column in texts),
        table=sql.Identifier("candidate", mart.name),
    )
    return RowsWhere(
        condition=rule.condition.replace(TEXT, "row_text"),
        of=rule.of and rule.of.replace(TEXT, "row_text"),
        source=source.as_string(),
        count="sum(row_count)",
    )


def _of_keys(rule: UnexpectedRows, table: str, catalogue: Catalogue) -> UnexpectedRows | str:
    columns = catalogue.columns.get(table, {})
    keys = [column for column in columns if column.endswith(KEY_ENDINGS) and column != "publication_id"]
    if columns and KEYS in rule.query and not keys:
        return NO_KEYS
    pairs = sql.SQL(", ").join(sql.SQL("({}, {})").format(sql.Literal(column), _as_text(column)) for column in keys)
    query = rule.query.replace(TABLE, sql.Identifier("candidate", table).as_string())
    return rule.model_copy(update={"query": query.replace(KEYS, pairs.as_string())})


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
