"""Feeds COPY in PostgreSQL's binary form: no value is turned into text or taken for the end of the data."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from ingestion.fingerprint import HALVES, PLACE
from ingestion.refusal import FileRefused

FRAMES_WAITING = 2
FINGERPRINT = "fingerprint"
ROW_PLACE = "row_place"


@contextmanager
def copying(
    loader: psycopg.Connection[Any], table: sql.Composable, columns: list[str], *, freeze: bool = False
) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Give a function that writes frames into the named columns, whose types must be the frames' own.

    A second thread encodes and sends, so that the next frame is made while this one is written. The column
    `fingerprint` is made of the frame's two halves, `row_place` of its place. `freeze` is for a table emptied in
    this very transaction.

    Raises:
        FileRefused: a value does not fit the table.
    """
    waiting: queue.Queue[pl.DataFrame | None] = queue.Queue(FRAMES_WAITING)
    failures: list[BaseException] = []
    statement = sql.SQL("copy {} ({}) from stdin (format binary, freeze {})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Literal(freeze)
    )

    def to_be_sent() -> Iterator[pl.DataFrame]:
        while (frame := waiting.get()) is not None:
            yield frame

    def feed() -> None:
        frames = to_be_sent()
        try:
            with loader.cursor() as cursor, cursor.copy(statement) as copy:
                encoder = None
                for frame in frames:
                    for batch in _arrow(frame, columns).to_batches():
                        if encoder is None:
                            encoder = ArrowToPostgresBinaryEncoder(batch.schema)
                            copy.write(encoder.write_header())
                        copy.write(encoder.write_batch(batch))
                if encoder is not None:
                    copy.write(encoder.finish())
                else:
                    copy.write(_NO_ROWS)
        except BaseException as failure:
            failures.append(failure)
            # The writer may wait for room. An iterator that has met its end asks no more: the server may complain last.
            for _ in frames:
                pass

    def write(frame: pl.DataFrame) -> None:
        if frame.height and not failures:
            waiting.put(frame)

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


_NO_ROWS = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


def _arrow(frame: pl.DataFrame, columns: list[str]) -> pa.Table:
    plain = [name for name in columns if name not in (FINGERPRINT, ROW_PLACE)]
    arrays = {name: frame[name].to_arrow(compat_level=pl.CompatLevel.newest()) for name in plain}
    if FINGERPRINT in columns:
        halves = np.column_stack([frame[half].to_numpy() for half in HALVES]).astype("<u8", copy=False)
        buffers = [None, pa.py_buffer(halves.tobytes())]
        arrays[FINGERPRINT] = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), frame.height, buffers)
    if ROW_PLACE in columns:
        # As PostgreSQL sent it: six bytes, and two that pad it.
        places = np.ascontiguousarray(frame[PLACE].to_numpy()).astype("<u8", copy=False).view(np.uint8)
        buffers = [None, pa.py_buffer(places.reshape(-1, 8)[:, :6].tobytes())]
        arrays[ROW_PLACE] = pa.FixedSizeBinaryArray.from_buffers(pa.binary(6), frame.height, buffers)
    return pa.table({name: arrays[name] for name in columns})
