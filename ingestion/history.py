"""History tables: every version of every source row once, with the days on which it was known."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from ingestion.contract import CHANGES, Contract
from ingestion.copying import FINGERPRINT
from ingestion.extract import LINE

# Fixed widths first, so that no byte is lost between them.
OWN_COLUMNS = (
    "batch_id bigint not null, closed_by_batch_id bigint, known_from date not null, known_to date, "
    f"{LINE} integer not null, {FINGERPRINT} uuid, council_code text not null"
)


def table(contract: Contract) -> sql.Identifier:
    """Name the table that keeps what a contract brings."""
    return sql.Identifier("history", contract.history_table)


def stored_columns(contract: Contract) -> list[tuple[str, str]]:
    """Name and SQL type of each column that history keeps of a source row, pseudonym included."""
    columns = [(column.name, column.sql_type) for column in contract.stored]
    if contract.pseudonymised is not None:
        columns.append((str(contract.pseudonymised.pseudonym_column), "text"))
    return columns


def definitions(contract: Contract) -> sql.Composable:
    """Define the stored columns. The conformer has seen to what is required; a deletion brings a key and no more."""
    needed = {column.name for column in contract.columns if column.key_position}
    if contract.delivery != CHANGES:
        needed |= {column.name for column in contract.columns if column.required}
    return sql.SQL(", ").join(
        sql.SQL("{} {} {}").format(
            sql.Identifier(name), sql.SQL(sql_type), sql.SQL("not null" if name in needed else "null")
        )
        for name, sql_type in stored_columns(contract)
    )


def ensure_tables(loader: psycopg.Connection[Any], contracts: Iterable[Contract]) -> None:
    """Create the history table of each contract that has none yet, and add columns that a contract gained.

    Two loaders at once are safe: the second waits for the first.
    """
    loader.execute("select pg_advisory_xact_lock(hashtext('carehouse history tables'))")
    there: dict[str, set[str]] = {}
    for relation, column in loader.execute(
        """
        select relname, attname
        from pg_attribute
        inner join pg_class on attrelid = pg_class.oid
        where relnamespace = 'history'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
        """
    ):
        there.setdefault(relation, set()).add(column)
    for contract in contracts:
        if contract.history_table in there:
            _add_columns(loader, contract, there[contract.history_table])
        else:
            loader.execute(_create_table(contract))


def ensure_one_open_version(loader: psycopg.Connection[Any], contract: Contract) -> None:
    """Let the table refuse a second open version of a row; built after the first load, when it costs least.

    Raises:
        psycopg.errors.UniqueViolation: there are two already.
    """
    name = f"{contract.history_table}__one_open_version"
    there = loader.execute("select to_regclass(%s)", [f"history.{name}"]).fetchone()
    # Making it "if not exists" would wait for a vacuum of the table each time.
    if there is not None and there[0] is not None:
        return
    key = sql.SQL(", ").join(
        sql.SQL('{} collate "C"' if column.kind == "string" else "{}").format(sql.Identifier(column.name))
        for column in contract.key
    )
    # Byte order: any order will do to tell rows apart, and a language's takes several times as long.
    loader.execute(
        sql.SQL('create unique index {} on {} ({}, council_code collate "C") where known_to is null').format(
            sql.Identifier(name), table(contract), key
        )
    )


def empty_if_nobody_reads(loader: psycopg.Connection[Any], contract: Contract) -> bool:
    """Truncate a table that holds nothing, so that the transaction may fill it frozen; say whether it could."""
    there = loader.execute(sql.SQL("select from {} limit 1").format(table(contract))).fetchone()
    if there is not None:
        return False
    try:
        with loader.transaction():
            loader.execute(sql.SQL("lock table {} in access exclusive mode nowait").format(table(contract)))
    except psycopg.errors.LockNotAvailable:
        return False
    loader.execute(sql.SQL("truncate {}").format(table(contract)))
    return True


def set_defaults(loader: psycopg.Connection[Any], contract: Contract, values: Mapping[str, object]) -> None:
    """Have the server fill columns in with values of ours from now on; None has it fill nothing in, as before."""
    actions = [
        sql.SQL("alter column {} set default {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in values.items()
    ]
    loader.execute(sql.SQL("alter table {} {}").format(table(contract), sql.SQL(", ").join(actions)))


def _add_columns(loader: psycopg.Connection[Any], contract: Contract, there: set[str]) -> None:
    """Versions known before a column came stay without it."""
    for name, sql_type in stored_columns(contract):
        if name not in there:
            loader.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    table(contract), sql.Identifier(name), sql.SQL(sql_type)
                )
            )


def _create_table(contract: Contract) -> sql.Composed:
    described = [sql.SQL("comment on table {} is {}").format(table(contract), sql.Literal(contract.one_row_is))]
    described += [
        sql.SQL("comment on column {} is {}").format(
            sql.Identifier("history", contract.history_table, column.name), sql.Literal(column.description)
        )
        for column in contract.stored
    ]
    made = sql.SQL("create table {} ({}, {})").format(table(contract), sql.SQL(OWN_COLUMNS), definitions(contract))
    return sql.SQL("; ").join([made, *described])
