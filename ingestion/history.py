"""History tables: every version of every source row once, with the days on which it was known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from ingestion.contract import Contract
from ingestion.reader import LINE

STAGED = sql.Identifier("pg_temp", "staged")
HELD = sql.Identifier("pg_temp", "held")


@dataclass(frozen=True)
class Change:
    """What a delivery did to history: rows by what became of them."""

    new: int
    changed: int
    unchanged: int
    closed: int


def stored_columns(contract: Contract) -> list[tuple[str, str]]:
    """Name and SQL type of each column that history keeps of a source row, pseudonym included."""
    columns = [(column.name, column.sql_type) for column in contract.columns]
    if contract.pseudonymised is not None:
        columns.append((str(contract.pseudonymised.pseudonym_column), "text"))
    return columns


def ensure_tables(loader: psycopg.Connection[Any], contracts: Iterable[Contract]) -> None:
    """Create the history table of each contract that has none yet, and add columns that a contract gained.

    Two loaders at once are safe: the second waits for the first.
    """
    loader.execute("select pg_advisory_xact_lock(hashtext('carehouse history tables'))")
    for contract in contracts:
        there = {
            row[0]
            for row in loader.execute(
                "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
                [f"history.{contract.history_table}"],
            )
        }
        if there:
            _add_columns(loader, contract, there)
        else:
            _create_table(loader, contract)


def _add_columns(loader: psycopg.Connection[Any], contract: Contract, there: set[str]) -> None:
    """Versions known before a column came stay without it."""
    for name, sql_type in stored_columns(contract):
        if name not in there:
            loader.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    sql.Identifier("history", contract.history_table), sql.Identifier(name), sql.SQL(sql_type)
                )
            )


def _create_table(loader: psycopg.Connection[Any], contract: Contract) -> None:
    table = sql.Identifier("history", contract.history_table)
    loader.execute(
        sql.SQL(
            "create table {} (council_code text not null, {}, known_from date not null, known_to date, "
            "batch_id bigint not null, closed_by_batch_id bigint, source_line bigint not null)"
        ).format(table, _definitions(contract))
    )
    loader.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(contract.one_row_is)))
    for column in contract.columns:
        loader.execute(
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier("history", contract.history_table, column.name), sql.Literal(column.description)
            )
        )


def stage(loader: psycopg.Connection[Any], contract: Contract) -> None:
    """Make the transaction's own tables for the rows of one delivery and for keys that must be left as known."""
    loader.execute(
        sql.SQL("create temporary table staged ({}, {} bigint not null) on commit drop").format(
            _definitions(contract), sql.Identifier(LINE)
        )
    )
    keys = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type)) for column in contract.key
    )
    loader.execute(sql.SQL("create temporary table held ({}) on commit drop").format(keys))


def unstage_repeats(loader: psycopg.Connection[Any], contract: Contract) -> list[tuple[int, str]]:
    """Take rows that share a key out of the staged rows; give line and reason code of each taken.

    Of rows alike in every column the first stays. Where they differ nobody can say which is right: all
    are taken, and what was known of the key stays.
    """
    key = _names(column.name for column in contract.key)
    whole = _names(name for name, _ in stored_columns(contract))
    repeated = sql.SQL("select {key} from {staged} group by {key} having count(*) > 1").format(key=key, staged=STAGED)
    taken = loader.execute(
        sql.SQL(
            """
            with ranked as (
                select
                    ctid,
                    row_number() over (partition by {key} order by source_line) as place,
                    min(row_to_text) over (partition by {key}) <> max(row_to_text) over (partition by {key})
                        as is_conflicting
                from (select ctid, staged.*, row({whole})::text as row_to_text from {staged} as staged) as staged
                where ({key}) in ({repeated})
            )

            delete from {staged} as staged
            using ranked
            where staged.ctid = ranked.ctid and (ranked.is_conflicting or ranked.place > 1)
            returning
                staged.source_line,
                case when ranked.is_conflicting then 'conflicting_key' else 'repeated_row' end,
                {qualified_key}
            """
        ).format(
            key=key,
            whole=whole,
            staged=STAGED,
            repeated=repeated,
            qualified_key=_names((column.name for column in contract.key), "staged"),
        )
    ).fetchall()
    hold = sql.SQL("insert into {} values ({})").format(HELD, sql.SQL(", ").join(sql.Placeholder() * len(contract.key)))
    with loader.cursor() as cursor:
        cursor.executemany(hold, [row[2:] for row in taken if row[1] == "conflicting_key"])
    return [(row[0], row[1]) for row in taken]


def apply_snapshot(
    loader: psycopg.Connection[Any], contract: Contract, council: str, batch_id: int, known_on: date
) -> Change:
    """Bring history to what the staged snapshot says, writing only what differs.

    A version that changed or vanished is closed on `known_on`; a new or changed row opens a version on
    that day. Keys in the held table are left as they are.
    """
    names = [name for name, _ in stored_columns(contract)]
    parts = {
        "history": sql.Identifier("history", contract.history_table),
        "staged": STAGED,
        "held": HELD,
        "columns": _names(names),
        "key": _names(column.name for column in contract.key),
        "same_key": _matching(contract, "staged", "known"),
        "held_key": _matching(contract, "held", "known"),
        "staged_values": _names(names, "staged"),
        "known_values": _names(names, "known"),
    }
    facts = {"council": council, "batch": batch_id, "known_on": known_on}
    loader.execute(sql.SQL("analyze {staged} ({key})").format(**parts))
    _find_differences(loader, parts, facts)
    loader.execute(
        sql.SQL(
            """
            update {history} as known
            set known_to = %(known_on)s, closed_by_batch_id = %(batch)s
            from pg_temp.difference as difference
            where known.ctid = difference.known_row
            """
        ).format(**parts),
        facts,
    )
    loader.execute(
        sql.SQL(
            """
            insert into {history} (council_code, {columns}, known_from, batch_id, source_line)
            select %(council)s, {staged_values}, %(known_on)s, %(batch)s, staged.source_line
            from {staged} as staged
            inner join pg_temp.difference as difference on staged.ctid = difference.staged_row
            """
        ).format(**parts),
        facts,
    )
    change = _count(loader, parts)
    _ensure_one_open_version(loader, contract)
    if (change.new + change.changed) * 10 > change.unchanged:
        loader.execute(sql.SQL("analyze {history}").format(**parts))
    return change


def _find_differences(loader: psycopg.Connection[Any], parts: dict[str, sql.Composable], facts: dict[str, Any]) -> None:
    """Pair open versions and staged rows by key, and keep the pairs in which they differ or one is missing."""
    loader.execute(
        sql.SQL(
            """
            create temporary table difference on commit drop as
            select known.row_place as known_row, staged.ctid as staged_row
            from (
                select ctid as row_place, {columns} from {history}
                where council_code = %(council)s and known_to is null
            ) as known
            full join {staged} as staged on {same_key}
            where
                ({staged_values}) is distinct from ({known_values})
                and (known.row_place is null or not exists (select from {held} as held where {held_key}))
            """
        ).format(**parts),
        facts,
    )
    loader.execute("analyze pg_temp.difference")


def _count(loader: psycopg.Connection[Any], parts: dict[str, sql.Composable]) -> Change:
    counted = loader.execute(
        sql.SQL(
            """
            select
                count(*) filter (where known_row is null),
                count(*) filter (where known_row is not null and staged_row is not null),
                count(*) filter (where staged_row is null),
                (select count(*) from {staged})
            from pg_temp.difference
            """
        ).format(**parts)
    ).fetchone()
    new, changed, closed, staged_count = counted or (0, 0, 0, 0)
    return Change(new=new, changed=changed, unchanged=staged_count - new - changed, closed=closed)


def _ensure_one_open_version(loader: psycopg.Connection[Any], contract: Contract) -> None:
    """Built after the first load, when it costs least; later loads keep it up."""
    loader.execute(
        sql.SQL("create unique index if not exists {} on {} (council_code, {}) where known_to is null").format(
            sql.Identifier(f"{contract.history_table}__one_open_version"),
            sql.Identifier("history", contract.history_table),
            _names(column.name for column in contract.key),
        )
    )


def _definitions(contract: Contract) -> sql.Composable:
    needed = {column.name for column in contract.columns if column.required or column.key_position}
    return sql.SQL(", ").join(
        sql.SQL("{} {} {}").format(
            sql.Identifier(name), sql.SQL(sql_type), sql.SQL("not null" if name in needed else "null")
        )
        for name, sql_type in stored_columns(contract)
    )


def _names(names: Iterable[str], table: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) if table else sql.Identifier(name) for name in names)


def _matching(contract: Contract, left: str, right: str) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, column.name), sql.Identifier(right, column.name))
        for column in contract.key
    )
