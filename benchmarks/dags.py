"""A whole night through the Airflow DAGs, against the same night by `carehouse run`.

Each side has a fresh warehouse. Airflow runs only while its own side is timed, and its start is a line of its own.
"""

import time
from collections.abc import Iterator
from datetime import date

from benchmarks.figures import Comparison, Options
from benchmarks.inputs import AS_AT, land_night
from benchmarks.scratch import scratch_server, warehouse
from carehouse import airflow_local
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

PEOPLE = 2_000


def measure(options: Options) -> Iterator[Comparison]:
    """Time the night both ways, and the start of Airflow."""
    size = f"{PEOPLE:,} people"
    night = Comparison("dags", "a night through Airflow", size, "carehouse run")
    first_start = Comparison("dags", "first start of Airflow, its database made", "", "")
    start = Comparison("dags", "start of Airflow", "", "")
    rounds = 1 if options.quick else options.rounds
    with scratch_server() as home:
        for number in range(1, rounds + 1):
            say(f"dags: round {number} of {rounds}")
            with warehouse(home) as bare:
                land_night(bare, PEOPLE)
                bare.settle()
                without_airflow = bare.command("run", "--business-date", AS_AT).seconds
            with warehouse(home) as fresh:
                land_night(fresh, PEOPLE)
                fresh.settle()
                started, through_airflow = _through_airflow(fresh.settings)
            (first_start if number == 1 else start).add(started)
            night.add(through_airflow, without_airflow)
    yield from (line for line in (night, first_start, start) if line.ours)


def _through_airflow(settings: Settings) -> tuple[float, float]:
    """Give the seconds until Airflow was healthy, and those of the night."""
    began = time.perf_counter()
    try:
        airflow_local.start(settings)
        healthy = time.perf_counter()
        if not airflow_local.run_dags(settings, date.fromisoformat(AS_AT)):
            raise CarehouseError("The night through Airflow published nothing.")
        return healthy - began, time.perf_counter() - healthy
    finally:
        airflow_local.stop(settings)
