"""Keep the last publications readable, and nothing for longer than its retention rules say."""

from datetime import timedelta

from airflow.sdk import dag, task
from commands import carehouse
from schedule import london

PUBLICATIONS_KEPT = 30

RUNBOOK = f"""
Prunes all but the last {PUBLICATIONS_KEPT} publications. The one that is current is never pruned, and history, from
which any of them can be built again, is kept for as long as `ingestion/retention.yaml` says.

* `retain` applies these rules, to quarantine and kept files too. It failed: a build was running; run it again.
  What a legal hold covers is left, and said.
* `reapply` takes people who were erased out of files that have come since, and ends what was interrupted.
* `prune` failed: run it again; it goes on where it was, and what it left behind hinders nobody. What readers still hold
  open makes it no failure: its log names whose transaction that is, and the next week's run makes up for it.

Airflow's own records are cleaned by a command, since a task may not reach them: see `docs/how-to/deploy.md`.
"""

EACH_SUNDAY = london("30 7 * * 0")


@dag(
    dag_id="housekeeping",
    description="Prune old publications and what was kept for long enough.",
    doc_md=RUNBOOK,
    schedule=EACH_SUNDAY,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "Platform team", "retries": 1, "retry_delay": timedelta(minutes=5)},
    tags=["housekeeping"],
)
def housekeeping() -> None:
    """Run once a week."""

    @task(execution_timeout=timedelta(minutes=30))
    def prune() -> None:
        carehouse("prune", "--keep", str(PUBLICATIONS_KEPT))

    @task(execution_timeout=timedelta(hours=2))
    def retain() -> None:
        carehouse("retention", "apply")

    @task(execution_timeout=timedelta(hours=2))
    def reapply() -> None:
        carehouse("retention", "reapply")

    prune()
    reapply() >> retain()


housekeeping()
