"""One night through the local Airflow, watched to its end: every source loaded, what is new published."""

import time
from datetime import date

from carehouse.airflow_local.api import AirflowApi
from carehouse.airflow_local.environment import task_log
from carehouse.airflow_local.parts import assert_alive
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

PUBLISHING_DAG = "build_gate_publish"
FINISHED = {"success", "failed"}
WORTH_TELLING = {"running", "success", "skipped", "failed", "up_for_retry"}
KNOWN_WITHIN_SECONDS = 120
TRIGGERED_WITHIN_SECONDS = 20
LONGEST_NIGHT_SECONDS = 6 * 60 * 60

Run = tuple[str, str]


def run_dags(settings: Settings, business_date: date) -> bool:
    """Run the load DAG of every source for a day, and see the publication through that they bring about.

    Gives whether readers were shown anything new; a night without news publishes nothing. Airflow must be
    running.

    Raises:
        CarehouseError: a task failed; the message names it and says why. The rest of the night has run.
    """
    api = AirflowApi(settings)
    published_before = _latest_publication(settings)
    loads = [f"load_{source}" for source in _sources(settings)]
    _wait_until_known(api, settings, {*loads, PUBLISHING_DAG})
    _finish_earlier_runs(api, settings, loads)
    say(f"running the loads of {business_date}")
    day = {"business_date": business_date.isoformat()}
    ours = [(dag_id, api.trigger(dag_id, day)) for dag_id in loads]
    failures = _watch(api, settings, ours)
    triggered = _triggered_by(api, ours)
    failures += _watch(api, settings, triggered)
    _finish_earlier_runs(api, settings, [PUBLISHING_DAG])
    # Airflow publishes by itself once every source has announced something. When only some have, it leaves
    # that to the morning; whoever runs a night by hand wants it now.
    if not triggered and _has_unpublished_batches(settings):
        failures += _watch(api, settings, [(PUBLISHING_DAG, api.trigger(PUBLISHING_DAG, day))])
    if failures:
        raise CarehouseError("\n".join(failures))
    published = _latest_publication(settings)
    if published == published_before:
        say("nothing new arrived, so nothing is published")
    return published != published_before


def _sources(settings: Settings) -> list[str]:
    contracts = settings.project / "ingestion" / "contracts"
    found = sorted({contract.parent.name for contract in contracts.glob("*/*.yaml")})
    if not found:
        raise CarehouseError(f"There is no contract in {contracts}.")
    return found


def _wait_until_known(api: AirflowApi, settings: Settings, expected: set[str]) -> None:
    deadline = time.monotonic() + KNOWN_WITHIN_SECONDS
    while missing := expected - api.dag_ids():
        assert_alive(settings)
        if broken := api.import_errors():
            raise CarehouseError(f"Airflow cannot read {', '.join(sorted(broken))}; its pages say why.")
        if time.monotonic() > deadline:
            raise CarehouseError(f"Airflow does not know, or has paused, {', '.join(sorted(missing))}.")
        time.sleep(0.5)


def _watch(api: AirflowApi, settings: Settings, runs: list[Run]) -> list[str]:
    """Wait until the runs have finished, telling each change of a task; give what failed and why."""
    told: dict[tuple[str, str, str], str | None] = {}
    open_runs = list(runs)
    failures: list[str] = []
    deadline = time.monotonic() + LONGEST_NIGHT_SECONDS
    while open_runs:
        assert_alive(settings)
        for run in list(open_runs):
            # Read before the tasks, so that the tasks of a finished run are told in their last state.
            state = api.run_state(*run)
            for task_id, (task_state, _) in api.task_states(*run).items():
                if task_state in WORTH_TELLING and told.get((*run, task_id)) != task_state:
                    say(f"{run[0]}.{task_id}: {task_state.replace('_', ' ')}")
                    told[*run, task_id] = task_state
            if state in FINISHED:
                open_runs.remove(run)
                failures += _failures(api, settings, run) if state == "failed" else []
        if time.monotonic() > deadline:
            raise CarehouseError(f"{open_runs[0][0]} has not finished; look at it on Airflow's pages.")
        time.sleep(1)
    return failures


def _failures(api: AirflowApi, settings: Settings, run: Run) -> list[str]:
    found = []
    for task_id, (state, try_number) in api.task_states(*run).items():
        if state == "failed":
            reason = api.last_error(*run, task_id, try_number) or "its log says why."
            log = task_log(settings, *run, task_id, try_number)
            found.append(f"{run[0]}.{task_id} failed: {reason}\n  its log: {log}")
    return found or [f"{run[0]} failed without a task that failed: its time may have run out."]


def _finish_earlier_runs(api: AirflowApi, settings: Settings, dag_ids: list[str]) -> None:
    """Wait for the runs of a night that was cut short, which Airflow takes up again, however they end."""
    earlier = [(dag_id, run_id) for dag_id in dag_ids for run_id in api.active_runs(dag_id)]
    if earlier:
        say(f"waiting for {len(earlier)} earlier run(s) to finish")
        _watch(api, settings, earlier)


def _triggered_by(api: AirflowApi, loads: list[Run]) -> list[Run]:
    """Give the run that Airflow makes when every source has announced something; none if a source has not."""
    if any(api.task_states(*run)["announce"][0] != "success" for run in loads):
        return []
    deadline = time.monotonic() + TRIGGERED_WITHIN_SECONDS
    # Runs of this DAG go one after another: ours is not even made while an earlier one is active.
    while time.monotonic() < deadline or api.active_runs(PUBLISHING_DAG):
        if run_id := api.run_triggered_by(PUBLISHING_DAG, {run_id for _, run_id in loads}):
            return [(PUBLISHING_DAG, run_id)]
        time.sleep(0.5)
    return []


def _latest_publication(settings: Settings) -> int | None:
    with connect(settings, Role.AUDITOR) as auditor:
        rows = auditor.execute("select max(publication_id) from store.publication where published_at is not null")
        latest = next(rows)[0]
        return None if latest is None else int(latest)


def _has_unpublished_batches(settings: Settings) -> bool:
    with connect(settings, Role.AUDITOR) as auditor:
        rows = auditor.execute(
            """
            select exists (
                select from audit.batch
                where state = 'accepted' and batch_id > coalesce(
                    (select max(batch_id) from audit.build_batch where build_id = %s), 0
                )
            )
            """,
            [_latest_publication(settings)],
        )
        return bool(next(rows)[0])
