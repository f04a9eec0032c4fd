"""Loads one file: whole or not at all, in one transaction, and at most once."""

import hashlib
import io
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from ingestion import history
from ingestion.conform import REJECT_SCHEMA, Conformer
from ingestion.contract import Contract
from ingestion.reader import LINE, Extract, open_extract
from ingestion.refusal import FileRefused

CSV_BLOCKS_WAITING = 2


@dataclass(frozen=True)
class Delivery:
    """One file of the landing folder that a contract expects."""

    path: Path
    contract: Contract
    council: str
    extract_date: date


@dataclass(frozen=True)
class Loaded:
    """What became of a delivery's rows; `rows_in` is always the sum of the others but `closed`."""

    batch_id: int
    rows_in: int
    rejected: int
    change: history.Change
    rejects: pl.DataFrame


class Waiting(Exception):
    """The file changed while it was read: its sender is still writing it."""


def content_sha256(path: Path) -> str:
    """Give the hash that tells one file's content from another's."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(
    loader: psycopg.Connection[Any], delivery: Delivery, sha256: str, business_date: date, pseudonym: Any
) -> Loaded | None:
    """Load a delivery in the open transaction of `loader`; None when the same bytes were loaded for the same day.

    Raises:
        FileRefused: the file must not be loaded; the transaction is to be rolled back.
        Waiting: the file changed under our hands; likewise.
    """
    contract, started_at = delivery.contract, datetime.now(UTC)
    loader.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {contract.name}"])
    if _was_loaded(loader, delivery, sha256):
        return None
    known_on = _known_on(loader, delivery, business_date)
    extract = open_extract(delivery.path, contract)
    batch_id = _next_batch_id(loader)
    history.stage(loader, contract)
    staged = _stage_rows(loader, extract, Conformer(contract, pseudonym))
    if content_sha256(delivery.path) != sha256:
        raise Waiting
    rejects = _all_rejects(loader, extract, staged)
    _refuse_wrong_total(extract, staged)
    rejected = rejects[LINE].n_unique()
    _refuse_beyond_limit(extract, staged.row_count, rejected, rejects)
    change = history.apply_snapshot(loader, contract, delivery.council, batch_id, known_on)
    _keep_rejects(loader, delivery, batch_id, rejects)
    record(
        loader,
        delivery,
        sha256,
        batch_id=batch_id,
        known_on=known_on,
        state="accepted",
        started_at=started_at,
        rows_in=staged.row_count,
        rows_new=change.new,
        rows_changed=change.changed,
        rows_unchanged=change.unchanged,
        rows_closed=change.closed,
        rows_rejected=rejected,
        control_row_count=extract.trailer.row_count if extract.trailer else None,
        control_total_gbp=extract.trailer.total if extract.trailer else None,
    )
    return Loaded(batch_id, staged.row_count, rejected, change, rejects)


def record(loader: psycopg.Connection[Any], delivery: Delivery, sha256: str, **facts: Any) -> None:
    """Write the delivery's row of the manifest. A check there refuses it if a row went missing."""
    row = {
        "council_code": delivery.council,
        "source_name": delivery.contract.source,
        "table_name": delivery.contract.table,
        "contract_version": delivery.contract.version,
        "file_name": delivery.path.name,
        "content_sha256": sha256,
        "size_bytes": delivery.path.stat().st_size,
        "extract_date": delivery.extract_date,
        **facts,
    }
    loader.execute(
        sql.SQL("insert into audit.batch ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
        ),
        row,
    )


@dataclass
class _Staged:
    """Running totals of the rows read."""

    row_count: int = 0
    control_sum: Decimal | None = Decimal(0)
    rejects: list[pl.DataFrame] = field(default_factory=list)


def _was_loaded(loader: psycopg.Connection[Any], delivery: Delivery, sha256: str) -> bool:
    """Compare day and content: the same bytes for a later day are news, if only that nothing changed since."""
    found = loader.execute(
        """
        select from audit.batch
        where
            council_code = %s and source_name = %s and table_name = %s
            and extract_date = %s and content_sha256 = %s and state = 'accepted'
        """,
        [delivery.council, delivery.contract.source, delivery.contract.table, delivery.extract_date, sha256],
    )
    return found.fetchone() is not None


def _known_on(loader: psycopg.Connection[Any], delivery: Delivery, business_date: date) -> date:
    """Give the day the delivery became known; knowledge is never dated before earlier knowledge."""
    row = loader.execute(
        """
        select max(extract_date), max(known_on) from audit.batch
        where council_code = %s and source_name = %s and table_name = %s and state = 'accepted'
        """,
        [delivery.council, delivery.contract.source, delivery.contract.table],
    ).fetchone()
    latest_extract, latest_known = row or (None, None)
    if latest_extract and delivery.extract_date < latest_extract:
        raise FileRefused(
            "older_than_current",
            f"{delivery.path.name}: a later extract, of {latest_extract}, is already loaded; an older full "
            "snapshot would undo it.",
        )
    return max(business_date, latest_known or business_date)


def _next_batch_id(loader: psycopg.Connection[Any]) -> int:
    row = loader.execute("select nextval('audit.batch_batch_id_seq')").fetchone()
    return int(row[0]) if row else 0


def _stage_rows(loader: psycopg.Connection[Any], extract: Extract, conformer: Conformer) -> _Staged:
    staged = _Staged()
    held: list[pl.DataFrame] = []
    columns = [name for name, _ in history.stored_columns(extract.contract)] + [LINE]
    with _copying(loader, "staged", columns) as write:
        for block in extract.blocks():
            conformed = conformer.conform(block)
            staged.row_count += block.height
            staged.rejects.append(conformed.rejects)
            held.append(conformed.held_keys)
            if staged.control_sum is not None:
                part = conformed.control_sum
                staged.control_sum = None if part is None else staged.control_sum + Decimal(str(part))
            write(conformed.rows.select(columns))
    staged.row_count += len(extract.malformed())
    if staged.row_count == 0:
        raise FileRefused("no_rows", f"{extract.path.name}: the file has a header and no rows.")
    with _copying(loader, "held", [column.name for column in extract.contract.key]) as write:
        for keys in held:
            write(keys)
    return staged


@contextmanager
def _copying(loader: psycopg.Connection[Any], table: str, columns: list[str]) -> Iterator[Any]:
    """Feed COPY from a second thread, so that the next block is conformed while this one is written."""
    waiting: queue.Queue[bytes | None] = queue.Queue(CSV_BLOCKS_WAITING)
    failures: list[BaseException] = []

    def feed() -> None:
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            sql.Identifier("pg_temp", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        try:
            with loader.cursor() as cursor, cursor.copy(statement) as copy:
                while (data := waiting.get()) is not None:
                    copy.write(data)
        except BaseException as failure:
            failures.append(failure)
            while waiting.get() is not None:
                pass

    def write(rows: pl.DataFrame) -> None:
        if rows.height:
            buffer = io.BytesIO()
            rows.write_csv(buffer, include_header=False)
            waiting.put(buffer.getvalue())

    thread = threading.Thread(target=feed, name="copy")
    thread.start()
    try:
        yield write
    finally:
        waiting.put(None)
        thread.join()
    for failure in failures:
        if isinstance(failure, psycopg.DataError):
            # Its message quotes the row, so only its kind is passed on.
            raise FileRefused(
                "not_storable", f"A row that keeps to the contract does not fit the table: {type(failure).__name__}."
            ) from None
        raise failure


def _all_rejects(loader: psycopg.Connection[Any], extract: Extract, staged: _Staged) -> pl.DataFrame:
    key = ", ".join(column.header for column in extract.contract.key)
    words = {
        "conflicting_key": f"must be the only row with its {key}; other rows with it differ",
        "repeated_row": "must not repeat an earlier row",
    }
    found = [(line, None, code, words[code], "") for line, code in history.unstage_repeats(loader, extract.contract)]
    found += [
        # PostgreSQL cannot keep a NUL.
        (
            line,
            None,
            "wrong_field_count",
            "must have as many fields as the header",
            text.replace("\0", "\N{SYMBOL FOR NULL}"),
        )
        for line, text in extract.malformed()
    ]
    return pl.concat([*staged.rejects, pl.DataFrame(found, schema=REJECT_SCHEMA, orient="row")])


def _refuse_wrong_total(extract: Extract, staged: _Staged) -> None:
    promised = extract.trailer
    if promised is None:
        return
    name = extract.path.name
    if promised.row_count != staged.row_count:
        raise FileRefused(
            "control_rows_differ",
            f"{name}: the trailer says {promised.row_count} rows, the file holds {staged.row_count}.",
        )
    if staged.control_sum is None or promised.total != staged.control_sum:
        raise FileRefused(
            "control_total_differs",
            f"{name}: the sum of {extract.contract.control_total.column if extract.contract.control_total else ''} "
            "over its rows is not the trailer's.",
        )


def _refuse_beyond_limit(extract: Extract, row_count: int, rejected: int, rejects: pl.DataFrame) -> None:
    limit = extract.contract.reject_limit_percent
    if rejected * 100 > limit * row_count:
        reasons = rejects.group_by("reason_code").agg(pl.col(LINE).n_unique().alias("rows")).sort("reason_code")
        counted = ", ".join(f"{code} {rows}" for code, rows in reasons.iter_rows())
        first = rejects.sort(LINE).row(0, named=True)
        raise FileRefused(
            "too_many_rejects",
            f"{extract.path.name}: {rejected} of {row_count} rows are bad, more than the {limit} % that contract "
            f"{extract.contract.name} allows ({counted}). The first: line {first[LINE]}, "
            f"{first['column_name'] or 'whole row'}, {first['rule']}.",
        )


def _keep_rejects(loader: psycopg.Connection[Any], delivery: Delivery, batch_id: int, rejects: pl.DataFrame) -> None:
    if rejects.is_empty():
        return
    statement = (
        "copy quarantine.rejected_row (batch_id, council_code, source_name, table_name, line_number, column_name, "
        "reason_code, rule, row_as_sent) from stdin"
    )
    contract = delivery.contract
    with loader.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rejects.select(REJECT_SCHEMA.keys()).iter_rows():
            copy.write_row((batch_id, delivery.council, contract.source, contract.table, *row))
