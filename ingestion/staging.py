"""The transaction's own tables: rows of one delivery on their way into history, and keys to be left as they are."""

from collections.abc import Iterable
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from ingestion import history
from ingestion.contract import Contract
from ingestion.copying import FINGERPRINT, copying
from ingestion.extract import LINE
from ingestion.intake import Intake

STAGED = sql.Identifier("pg_temp", "staged")
HELD = sql.Identifier("pg_temp", "held")
TEMPORARY = ("staged", "held", "unmet", "known", "rival", "difference", "judged")


def stage(loader: psycopg.Connection[Any], contract: Contract, intake: Intake) -> None:
    """Write the rows of an intake into `staged`, and the keys of bad rows into `held`."""
    # Another delivery of the same set, loaded in the same transaction, has left its own.
    loader.execute(sql.SQL("drop table if exists {}").format(sql.SQL(", ").join(map(_temporary, TEMPORARY))))
    operation = sql.SQL(f", {contract.operation_column} text not null" if contract.operation_column else "")
    loader.execute(
        sql.SQL("create temporary table staged ({}, {} integer not null, {} uuid{}) on commit drop").format(
            history.definitions(contract), sql.Identifier(LINE), sql.Identifier(FINGERPRINT), operation
        )
    )
    keys = sql.SQL(", ").join(
        sql.SQL("{} {} not null").format(sql.Identifier(column.name), sql.SQL(column.sql_type))
        for column in contract.key
    )
    loader.execute(sql.SQL("create temporary table held ({}) on commit drop").format(keys))
    columns = [name for name, _ in history.stored_columns(contract)] + [LINE, FINGERPRINT]
    columns += [contract.operation_column] if contract.operation_column else []
    with copying(loader, STAGED, columns) as write:
        for rows in intake.rows():
            write(rows.with_columns(pl.col(LINE).cast(pl.Int32)))
    with copying(loader, HELD, [column.name for column in contract.key]) as write:
        for held in intake.held_keys:
            write(held)
    loader.execute(sql.SQL("analyze {} ({}, {})").format(STAGED, names(key(contract)), sql.Identifier(FINGERPRINT)))


def _temporary(name: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", name)


def unstage_repeats(loader: psycopg.Connection[Any], contract: Contract) -> tuple[list[int], list[int]]:
    """Take rows that share a key out of the staged rows; give the lines of repeats and of conflicts.

    Of rows alike in every column the first stays, and the others repeat it. Where those that are left still differ
    nobody can say which is right: all are taken, and what was known of the key stays.
    """
    taken = loader.execute(
        sql.SQL(
            """
            with ranked as (
                select
                    ctid,
                    row_number() over (partition by {key}, row_to_text order by source_line) > 1 as is_repeat,
                    min(row_to_text) over (partition by {key}) <> max(row_to_text) over (partition by {key})
                        as is_conflicting
                from (select ctid, staged.*, row({whole})::text as row_to_text from {staged} as staged) as staged
                where ({key}) in (select {key} from {staged} group by {key} having count(*) > 1)
            ),

            unstaged as (
                delete from {staged} as staged
                using ranked
                where staged.ctid = ranked.ctid and (ranked.is_conflicting or ranked.is_repeat)
                returning staged.source_line, ranked.is_repeat, ranked.is_conflicting, {staged_key}
            ),

            holding as (
                insert into {held} select distinct {key} from unstaged where is_conflicting
            )

            select source_line, is_repeat from unstaged
            """
        ).format(
            key=names(key(contract)),
            staged_key=names(key(contract), "staged"),
            whole=names(name for name, _ in history.stored_columns(contract)),
            staged=STAGED,
            held=HELD,
        )
    ).fetchall()
    return (
        [line for line, is_repeat in taken if is_repeat],
        [line for line, is_repeat in taken if not is_repeat],
    )


def key(contract: Contract) -> list[str]:
    """Name the columns that tell one row from another."""
    return [column.name for column in contract.key]


def names(columns: Iterable[str], relation: str | None = None) -> sql.Composed:
    """List columns for SQL, of one relation where it is given."""
    return sql.SQL(", ").join(
        sql.Identifier(relation, column) if relation else sql.Identifier(column) for column in columns
    )


def same_key(contract: Contract, left: str, right: str, *, collate: bool = False) -> sql.Composed:
    """Compare the keys of two relations; in byte order, as the index of open versions has them, if asked to."""
    return sql.SQL(" and ").join(
        sql.SQL('{} = {} collate "C"' if collate and column.kind == "string" else "{} = {}").format(
            sql.Identifier(left, column.name), sql.Identifier(right, column.name)
        )
        for column in contract.key
    )
