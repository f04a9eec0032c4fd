"""Build the figures, let the gate judge them, publish what it passes: one run at a time, all or nothing.

It runs once every source has announced something new, and each morning for the nights when only some did.
"""

from datetime import timedelta

from airflow.sdk import Asset, AssetAll, AssetOrTimeSchedule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from business_date import as_at
from commands import REFUSED, carehouse
from schedule import chosen_day, london
from sources import accepted, sources

RUNBOOK = """
Builds every table as at one business date, judges those very tables, and publishes them if they pass.

* `build` failed: nothing has changed for readers. Its log names the model; put it right, clear the task.
* `gate` failed: the figures were refused and **the last publication stays in place**. Its message names each check,
  what it protects, since when it fails and whom to ask. Put the cause right and run the DAG again: clearing `gate`
  judges the same tables. Somebody who may decide so can publish them nevertheless: `carehouse release`.
* `publish` failed: nothing was published, or everything was. Clear the task; doing it twice is harmless.

Run it for another day with the parameter `business_date`. See `docs/how-to/run-a-night.md`.
"""

# After the loads of 03:30, before anybody reads.
EACH_MORNING = london("0 6 * * *")

# All, not any: a night that is only half loaded is not worth publishing before the morning.
ALL_ACCEPTED = AssetAll(*(accepted(source) for source in sources()))
PUBLICATION = Asset(name="publication", uri="carehouse://publication")


@dag(
    dag_id="build_gate_publish",
    description="Build, judge and publish the figures.",
    doc_md=RUNBOOK,
    schedule=AssetOrTimeSchedule(assets=ALL_ACCEPTED, timetable=EACH_MORNING),
    catchup=False,
    max_active_runs=1,
    params={"business_date": chosen_day()},
    default_args={"owner": "Performance team", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["publish"],
)
def build_gate_publish() -> None:
    """Hand one build from step to step by its number."""

    @task(execution_timeout=timedelta(hours=2))
    def build() -> int:
        _, built = carehouse("build", "--as-at", as_at(get_current_context()), "--json")
        return int(built["build_id"])

    @task(execution_timeout=timedelta(hours=1))
    def gate(build_id: int) -> int:
        exit_code, judged = carehouse("gate", "--build", str(build_id), "--json", accept=(0, REFUSED))
        if exit_code == REFUSED:
            raise AirflowFailException(judged["words"])
        return build_id

    @task(retries=2, execution_timeout=timedelta(minutes=30), outlets=[PUBLICATION])
    def publish(build_id: int) -> None:
        carehouse("publish", "--build", str(build_id))

    publish(gate(build()))  # type: ignore[arg-type]


build_gate_publish()
