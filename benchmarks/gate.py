"""The gate as a share of the build it judges: at most a fifth, for a county's night.

`carehouse gate` starts Python and imports Great Expectations; in `carehouse run` both happen while dbt builds, so that
the import is a line of its own.
"""

import sys
from collections.abc import Iterator

from benchmarks.child import run
from benchmarks.figures import Comparison, Options
from benchmarks.inputs import AS_AT, land_night
from benchmarks.scratch import Warehouse, scratch_server, warehouse
from carehouse.database import Role
from carehouse.progress import say

IMPORT = "from expectations.imports import import_later; import_later(); import expectations.engine"
# Building so many takes minutes, and a second look tells no more.
MANY_PEOPLE = 100_000


def measure(options: Options) -> Iterator[Comparison]:
    """Time `carehouse gate` beside the `carehouse build` before it, for each number of people."""
    imported = Comparison("gate", "import of Great Expectations (included above)", "", "")
    with scratch_server() as home:
        for people in options.people:
            with warehouse(home) as fresh:
                land_night(fresh, people)
                fresh.command("ingest", "--business-date", AS_AT)
                # In a release's first build dbt reads the project, which is no part of a night.
                fresh.command("build", "--as-at", AS_AT)
                rows = _source_rows(fresh)
                judged = Comparison("gate", "carehouse gate", f"{people:,} people, {rows:,} source rows", "its build")
                rounds = options.rounds if people < MANY_PEOPLE else 1
                for number in range(1, rounds + 1):
                    say(f"gate: {people:,} people, round {number} of {rounds}")
                    fresh.settle()
                    built = fresh.command("build", "--as-at", AS_AT).seconds
                    judged.add(fresh.command("gate").seconds, built)
                    imported.add(run([sys.executable, "-c", IMPORT], fresh.environment).seconds)
                yield judged
    yield imported


def _source_rows(fresh: Warehouse) -> int:
    with fresh.connect(Role.AUDITOR) as auditor:
        ((count,),) = auditor.execute("select sum(rows_in) from audit.batch where state = 'accepted'")
    return int(count)
