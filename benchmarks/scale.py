"""Whether a load grows faster than its rows: the time a row takes, and the loader's memory, at three sizes.

Beside it stands bare `COPY` of the same file, which tells how much of any growth is the server's and the disk's.
"""

from collections.abc import Iterator

from benchmarks.figures import Comparison, Options
from benchmarks.load import CONTRACT, FIRST, SAME_FILE, SECOND, batch_seconds, copy_seconds, write
from benchmarks.scratch import scratch_server, warehouse
from carehouse.progress import say
from ingestion.contract import load_contract

SIZES = (1 / 20, 1, 5)


def measure(options: Options) -> Iterator[Comparison]:
    """Time first loads and reloads of a twentieth of the rows, all of them, and five times as many, once each."""
    contract = load_contract(CONTRACT)
    times: list[Comparison] = []
    peaks: list[Comparison] = []
    with scratch_server() as home:
        for share in (1, *SIZES):
            rows = round(options.rows * share)
            size = f"{rows:,} lines"
            for what in ("first load", "reload"):
                times.append(Comparison("scale", f"{what}, a line", size, SAME_FILE, "ns"))
                peaks.append(Comparison("scale", f"{what}, peak memory", size, "", "MB"))
            say(f"scale: {size}")
            folder = home / f"extracts_{rows}"
            with warehouse(home) as fresh:
                fresh.load(FIRST)
                for place, day in ((-2, FIRST), (-1, SECOND)):
                    extract = write(folder, day, rows, changed=day == SECOND)
                    fresh.land(extract, folder)
                    fresh.settle()
                    peaks[place].add(fresh.load(day).peak_mb)
                    ours = batch_seconds(fresh)
                    bare = copy_seconds(fresh, contract, extract)
                    times[place].add(ours / rows * 1e9, bare / rows * 1e9)
    # The first two lines were of the server's warming up.
    yield from (*times[2:], *peaks[2:])
