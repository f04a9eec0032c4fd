"""Airflow's REST API as a person of this machine would use it: read runs and tasks, trigger a DAG."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from carehouse.airflow_local.environment import USER, address
from carehouse.airflow_local.parts import assert_alive
from carehouse.errors import CarehouseError
from carehouse.settings import Settings

TRIES = 5


class AirflowApi:
    """The API of the local Airflow, logged in to with its generated password."""

    def __init__(self, settings: Settings) -> None:
        """Log in.

        Raises:
            CarehouseError: Airflow does not answer, or refuses the password.
        """
        self._settings = settings
        # The pages are on loopback: a proxy could not reach them.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._token: str | None = None
        credentials = {"username": USER, "password": settings.secret("airflow_password")}
        self._token = str(self._ask("POST", "/auth/token", credentials)["access_token"])

    def dag_ids(self) -> set[str]:
        """Give the DAGs that Airflow knows and would run."""
        known = self._ask("GET", "/api/v2/dags?limit=100")["dags"]
        return {dag["dag_id"] for dag in known if not dag["is_paused"]}

    def import_errors(self) -> list[str]:
        """Give the files of the DAGs folder that could not be read."""
        return [error["filename"] for error in self._ask("GET", "/api/v2/importErrors")["import_errors"]]

    def trigger(self, dag_id: str, configuration: dict[str, str]) -> str:
        """Ask for a run of a DAG now; give the run's id."""
        body = {"logical_date": None, "conf": configuration}
        return str(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Give the state of a run: queued, running, success or failed."""
        return str(self._ask("GET", _run_path(dag_id, run_id))["state"])

    def active_runs(self, dag_id: str) -> list[str]:
        """Give the runs of a DAG that are queued or running, oldest first."""
        query = "state=queued&state=running&order_by=run_after&limit=100"
        runs = self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?{query}")["dag_runs"]
        return [run["dag_run_id"] for run in runs]

    def run_triggered_by(self, dag_id: str, source_run_ids: set[str]) -> str | None:
        """Give the run of a DAG that consumed an asset event of one of these runs, or None."""
        query = "run_type=asset_triggered&order_by=-run_after&limit=20"
        for run in self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?{query}")["dag_runs"]:
            run_id = str(run["dag_run_id"])
            events = self._ask("GET", f"{_run_path(dag_id, run_id)}/upstreamAssetEvents")["asset_events"]
            if source_run_ids & {event["source_run_id"] for event in events}:
                return run_id
        return None

    def task_states(self, dag_id: str, run_id: str) -> dict[str, tuple[str | None, int]]:
        """Give for each task of a run its state and the number of its last try."""
        tasks = self._ask("GET", f"{_run_path(dag_id, run_id)}/taskInstances")["task_instances"]
        return {task["task_id"]: (task["state"], task["try_number"]) for task in tasks}

    def last_error(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> str:
        """Give the message of the error that ended a task, or an empty text if its log has none."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task_id}/logs/{try_number}?full_content=true"
        messages = []
        for line in self._ask("GET", path)["content"]:
            for error in (line.get("error_detail") or []) if isinstance(line, dict) else []:
                messages.append(str(error.get("exc_value", "")))
        return messages[-1] if messages else ""

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Send one request; wait a little and ask again if the server is not there at this moment."""
        request = urllib.request.Request(  # noqa: S310 - the address is ours, and http
            f"{address(self._settings)}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        for attempt in range(1, TRIES + 1):
            try:
                with self._opener.open(request, timeout=60) as answer:
                    return dict(json.load(answer))
            except urllib.error.HTTPError as error:
                raise CarehouseError(
                    f"Airflow answered {error.code} to {method} {path.partition('?')[0]}; its log is in "
                    f"{self._settings.home / 'airflow' / 'logs' / 'api-server.log'}."
                ) from None
            except OSError:
                assert_alive(self._settings)
                # A request to trigger may have been heard: asking again could run a DAG twice.
                if attempt == TRIES or (method == "POST" and self._token):
                    break
                time.sleep(attempt)
        raise CarehouseError(f"Airflow does not answer on {address(self._settings)}.")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"
