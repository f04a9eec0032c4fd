"""Loading a ledger extract, against bare `COPY` of the same file into a table of the same types.

What ours does besides: finds the file was not loaded before, checks every value and the control total, splits off bad
rows, keeps every version of every row, keys it, and starts Python. The bare table has no key and no history.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from psycopg import sql

from benchmarks.figures import Comparison, Options
from benchmarks.ledger import write_ledger
from benchmarks.scratch import Warehouse, scratch_server, warehouse
from carehouse.database import Role
from carehouse.progress import say
from ingestion.contract import FOLDER, Contract, load_contract

CONTRACT = FOLDER / "ledger" / "lines.yaml"
FIRST, SECOND = date(2018, 10, 30), date(2018, 10, 31)
BLOCK_BYTES = 1 << 20
SAME_FILE = "COPY of the same file"
LONGEST_TRAILER_BYTES = 200


def measure(options: Options) -> Iterator[Comparison]:
    """Time the first load and the reload with 1 % of lines changed, and the loader's memory in both."""
    contract = load_contract(CONTRACT)
    with scratch_server() as home:
        folder = home / "extracts"
        extracts = [write(folder, day, options.rows, changed=day == SECOND) for day in (FIRST, SECOND)]
        size = f"{options.rows:,} lines, {extracts[0].stat().st_size / 1e6:,.0f} MB"
        names = ("first load", "reload, 1 % of lines changed")
        times, whole, judged, peaks = (
            [Comparison("load", f"{name}{what}", size, against, unit) for name in names]
            for what, against, unit in (
                ("", SAME_FILE, "s"),
                (", with the start of Python", SAME_FILE, "s"),
                (", carehouse ingest with its judge", SAME_FILE, "s"),
                (", peak memory", "nothing to load", "MB"),
            )
        )
        # A server that has run for a night has its log files and its memory; a new one makes them as it goes.
        for number in range(options.rounds + 1):
            say(f"load: round {number} of {options.rounds}" if number else "load: a round that is not counted")
            with warehouse(home) as fresh:
                idle = fresh.load(FIRST)
                for place, (extract, day) in enumerate(zip(extracts, (FIRST, SECOND), strict=True)):
                    fresh.land(extract, folder)
                    fresh.settle()
                    ours = fresh.load(day)
                    bare = copy_seconds(fresh, contract, extract)
                    if number:
                        times[place].add(batch_seconds(fresh), bare)
                        whole[place].add(ours.seconds, bare)
                        peaks[place].add(ours.peak_mb, idle.peak_mb)
            if not number:
                continue
            with warehouse(home) as fresh:
                for place, (extract, day) in enumerate(zip(extracts, (FIRST, SECOND), strict=True)):
                    fresh.land(extract, folder)
                    fresh.settle()
                    with_judge = fresh.command("ingest", "--business-date", day.isoformat())
                    judged[place].add(with_judge.seconds, copy_seconds(fresh, contract, extract))
    yield from (*times, *whole, *judged, *peaks)


def write(folder: Path, day: date, rows: int, *, changed: bool) -> Path:
    """Write a ledger extract of so many lines; give the file."""
    # In a process of its own: a child's peak memory counts from what its parent held when it was started.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return elsewhere.submit(write_ledger, folder, day, rows, changed).result()


def batch_seconds(fresh: Warehouse) -> float:
    """Give how long the latest batch took: read, conform, hash, write history, rejects and manifest."""
    with fresh.connect(Role.AUDITOR) as auditor:
        row = auditor.execute(
            "select extract(epoch from finished_at - started_at) from audit.batch order by batch_id desc limit 1"
        ).fetchone()
    assert row is not None
    return float(row[0])


def copy_seconds(fresh: Warehouse, contract: Contract, extract: Path) -> float:
    """Copy the file, but for its trailer, into a new table; give the seconds without connecting."""
    left = extract.stat().st_size - len(_trailer(extract))
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type)) for column in contract.columns
    )
    with fresh.connect(Role.LOADER) as loader:
        loader.execute("set datestyle = 'ISO, DMY'")
        loader.execute(sql.SQL("create table history.bare ({})").format(columns))
        fresh.settle()
        began = time.perf_counter()
        statement = "copy history.bare from stdin (format csv, header)"
        with extract.open("rb") as file, loader.cursor() as cursor, cursor.copy(statement) as copy:
            while block := file.read(min(left, BLOCK_BYTES)):
                copy.write(block)
                left -= len(block)
        seconds = time.perf_counter() - began
        loader.execute("drop table history.bare")
    return seconds


def _trailer(extract: Path) -> bytes:
    """Give the last line of a file, its line end included."""
    with extract.open("rb") as file:
        file.seek(-LONGEST_TRAILER_BYTES, os.SEEK_END)
        return file.read().splitlines(keepends=True)[-1]
