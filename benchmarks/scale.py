"""Whether a load grows faster than its rows: the time a row takes, and the loader's memory, at three sizes."""

from collections.abc import Iterator

from benchmarks.figures import Comparison, Options
from benchmarks.load import FIRST, SECOND, batch_seconds, write
from benchmarks.scratch import scratch_server, warehouse
from carehouse.progress import say

SIZES = (1 / 20, 1, 5)


def measure(options: Options) -> Iterator[Comparison]:
    """Time first loads and reloads of a twentieth of the rows, all of them, and five times as many, once each."""
    times: list[Comparison] = []
    peaks: list[Comparison] = []
    with scratch_server() as home:
        for share in (1, *SIZES):
            rows = round(options.rows * share)
            size = f"{rows:,} lines"
            for what in ("first load", "reload"):
                times.append(Comparison("scale", f"{what}, a line", size, "", "ns"))
                peaks.append(Comparison("scale", f"{what}, peak memory", size, "", "MB"))
            say(f"scale: {size}")
            folder = home / f"extracts_{rows}"
            with warehouse(home) as fresh:
                fresh.load(FIRST)
                for place, day in ((-2, FIRST), (-1, SECOND)):
                    fresh.land(write(folder, day, rows, changed=day == SECOND), folder)
                    fresh.settle()
                    peaks[place].add(fresh.load(day).peak_mb)
                    times[place].add(batch_seconds(fresh) / rows * 1e9)
    # The first two lines were of the server's warming up.
    yield from (*times[2:], *peaks[2:])
