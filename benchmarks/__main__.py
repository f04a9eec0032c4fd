"""`python -m benchmarks [names…]`: runs each benchmark and prints one table. Times are shown, never judged."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from benchmarks import build, dags, gate, load, publication, rivals, scale
from benchmarks.figures import Comparison, Options, as_markdown, as_text
from carehouse.errors import CarehouseError

BENCHMARKS: dict[str, Callable[[Options], Iterator[Comparison]]] = {
    "load": load.measure,
    "scale": scale.measure,
    "rivals": rivals.measure,
    "build": build.measure,
    "gate": gate.measure,
    "publication": publication.measure,
    "dags": dags.measure,
}
# Their source rows are some 100,000, a million and ten million.
PEOPLE = (2_000, 20_000, 200_000)


def main() -> int:
    """Run the benchmarks asked for; give the exit code."""
    asked = _arguments()
    options = Options(
        rows=asked.rows or (200_000 if asked.quick else 2_000_000),
        people=(asked.people,) if asked.people else PEOPLE[: 1 if asked.quick else None],
        rounds=asked.rounds,
        quick=asked.quick,
    )
    # Ended by anything, the scratch servers are stopped and their folders removed.
    signal.signal(signal.SIGTERM, _as_interrupt)
    lines: list[Comparison] = []
    exit_code = 0
    try:
        for name in asked.names or BENCHMARKS:
            lines.extend(BENCHMARKS[name](options))
    except CarehouseError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        exit_code = 1
    except KeyboardInterrupt:
        exit_code = 130
    # What was measured before a failure is still worth reading.
    if lines:
        print(as_markdown(lines) if asked.markdown else as_text(lines))
    return exit_code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed as ratios against the bare alternative, in the same run."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--rows", type=int, help="ledger lines to load (default 2,000,000)")
    parser.add_argument("--people", type=int, help="people to build figures of (default 2,000, 20,000 and 200,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often to measure each (default 3)")
    parser.add_argument("--quick", action="store_true", help="200,000 lines, 2,000 people, one night")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/explanation/performance.md")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    if min(asked.rounds, *(given for given in (asked.rows, asked.people) if given is not None), 1) < 1:
        parser.error("rows, people and rounds must be at least 1")
    return asked


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
