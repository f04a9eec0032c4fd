"""Keep the last publications readable, and no rejected row for longer than it takes to put it right."""

from datetime import timedelta

from airflow.sdk import dag, task
from commands import carehouse
from schedule import london

PUBLICATIONS_KEPT = 30
QUARANTINE_DAYS = 180

RUNBOOK = f"""
Prunes all but the last {PUBLICATIONS_KEPT} publications. The one that is current is never pruned, and
history, from which any of them can be built again, is never touched.

Deletes rows that have been in quarantine for more than {QUARANTINE_DAYS} days: they hold what was sent.

* `prune` failed: run it again; it goes on where it was, and what it left behind hinders nobody. What readers still hold
  open makes it no failure: its log names whose transaction that is, and the next week's run makes up for it.

Airflow's own records are cleaned by a command, since a task may not reach them: see `docs/how-to/deploy.md`.
"""

EACH_SUNDAY = london("30 7 * * 0")


@dag(
    dag_id="housekeeping",
    description="Prune old publications and what is left in quarantine.",
    doc_md=RUNBOOK,
    schedule=EACH_SUNDAY,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "Platform team", "retries": 1, "retry_delay": timedelta(minutes=5)},
    tags=["housekeeping"],
)
def housekeeping() -> None:
    """Run one task a week."""

    @task(execution_timeout=timedelta(minutes=30))
    def prune() -> None:
        carehouse("prune", "--keep", str(PUBLICATIONS_KEPT))

    @task(execution_timeout=timedelta(minutes=30))
    def purge() -> None:
        carehouse("purge", "--days", str(QUARANTINE_DAYS))

    prune()
    purge()


housekeeping()
