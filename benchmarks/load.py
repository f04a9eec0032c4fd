"""Loading a ledger extract, against bare `COPY` of the same file into a table of the same types.

What ours does besides: finds the file was not loaded before, checks every value and the control total, splits off bad
rows, keeps every version of every row, keys it, and starts Python. The bare table has no key and no history.
"""

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
from ingestion.reader import open_extract

CONTRACT = FOLDER / "ledger" / "lines.yaml"
FIRST, SECOND = date(2018, 10, 30), date(2018, 10, 31)
BLOCK_BYTES = 1 << 20


def measure(options: Options) -> Iterator[Comparison]:
    """Time the first load and the reload with 1 % of lines changed, and the loader's memory in both."""
    contract = load_contract(CONTRACT)
    with scratch_server() as home:
        folder = home / "extracts"
        extracts = [_write(folder, day, options.rows, day == SECOND) for day in (FIRST, SECOND)]
        size = f"{options.rows:,} lines, {extracts[0].stat().st_size / 1e6:,.0f} MB"
        same_file, nothing = "COPY of the same file", "the same, nothing to load"
        times = [Comparison("load", what, size, same_file) for what in ("first load", "reload, 1 % of lines changed")]
        peaks = [Comparison("load", f"peak memory, {what}", size, nothing, "MB") for what in ("first load", "reload")]
        start = Comparison("load", "start, nothing to load (included above)", "", "")
        for number in range(1, options.rounds + 1):
            say(f"load: round {number} of {options.rounds}")
            with warehouse(home) as fresh:
                idle = fresh.command("ingest")
                start.add(idle.seconds)
                for extract, day, taken, peak in zip(extracts, (FIRST, SECOND), times, peaks, strict=True):
                    fresh.land(extract, folder)
                    fresh.settle()
                    ours = fresh.command("ingest", "--business-date", day.isoformat())
                    taken.add(ours.seconds, _copy(fresh, contract, extract))
                    peak.add(ours.peak_mb, idle.peak_mb)
    yield from (*times, *peaks, start)


def _write(folder: Path, day: date, rows: int, changed: bool) -> Path:
    # In a process of its own: a child's peak memory counts from what its parent held when it was started.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return elsewhere.submit(write_ledger, folder, day, rows, changed).result()


def _copy(fresh: Warehouse, contract: Contract, extract: Path) -> float:
    """Copy the file, but for its trailer, into a new table; give the seconds without connecting."""
    trailer = open_extract(extract, contract).trailer
    left = trailer.body_bytes if trailer else extract.stat().st_size
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
