"""The whole demonstration, Airflow and all, with no network but loopback: it works, and nothing tries to leave."""

import json
import os
import re
import subprocess
import sys
from functools import partial

import pytest
from psycopg import sql

from carehouse.airflow_local.environment import DATABASE as AIRFLOW_DATABASE
from carehouse.database import Role, connect
from carehouse.settings import PROJECT, Settings
from tests import canary
from tests.canary import files_that_hold, relations_that_hold
from tests.conftest import free_port, short_lived_folder

UNSHARE = ["unshare", "--net"]


def alone(*command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a namespace of its own."""
    return subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.offline", *command],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def _can_make_namespaces() -> None:
    try:
        made = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("this user may not make network namespaces")


def test_an_attempt_to_leave_is_noticed() -> None:
    connect = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('192.0.2.1', 80))"
    asked = alone(sys.executable, "-c", connect, environment=dict(os.environ))
    assert json.loads(asked.stdout.splitlines()[-1]) == {"exit_code": 0, "attempts": 1}


def test_the_demonstration_needs_no_network_and_tries_none() -> None:
    with short_lived_folder() as home:
        environment = {
            **os.environ,
            "CAREHOUSE_HOME": str(home),
            "CAREHOUSE_PORT": str(free_port()),
            "CAREHOUSE_AIRFLOW_PORT": str(free_port()),
        }
        demo = [sys.executable, str(PROJECT / "examples" / "demo.py")]
        shell = 'first=0; "$@" || first=$?; "$@" && exit $first'
        ran = alone("sh", "-c", shell, "demo", *demo, environment=environment)
        database = partial(subprocess.run, env=environment, check=False)
        database([sys.executable, "-m", "carehouse", "db", "stop"])
        assert json.loads(ran.stdout.splitlines()[-1]) == {"exit_code": 0, "attempts": 0}, ran.stdout + ran.stderr
        first, again = ran.stdout.split("Ask the marts yourself", 1)
        for shown in (first, again):
            assert "-9,523" in shown
            assert "publication 1" in shown.lower()
        assert "nothing new arrived" in ran.stderr
        assert not list(home.rglob("*.why.txt"))
        logs = [path.read_text(errors="replace") for path in home.rglob("*.log") if path.is_file()]
        assert len(logs) > 10
        assert not [log for log in logs if re.search(r"\b999\d{7}\b", log)]
        database([sys.executable, "-m", "carehouse", "db", "start"])
        try:
            _is_nowhere(Settings.load(environment), canary.pattern(home / "invented"))
        finally:
            database([sys.executable, "-m", "carehouse", "db", "stop"])


def _is_nowhere(settings: Settings, sought: str) -> None:
    """Look for the canary in all that Airflow, dbt, the gate and the reports have left behind."""
    kept = {"archive", "invented", "data"}
    files = [path for path in settings.home.rglob("*") if not kept & set(path.relative_to(settings.home).parts)]
    assert {"manifest.json", "run_results.json"} <= {path.name for path in files}
    assert sum(path.suffix == ".csv" for path in files) > 50
    assert files_that_hold(files, sought) == []
    with connect(settings, Role.ADMIN, autocommit=True, database=AIRFLOW_DATABASE) as admin:
        for table in ("xcom", "log", "task_instance", "serialized_dag", "asset_event"):
            counted = admin.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
            assert counted and counted[0], table
        assert relations_that_hold(admin, sought) == set()
    with connect(settings, Role.ADMIN, autocommit=True) as admin:
        holding = relations_that_hold(admin, sought)
        assert {name.partition(".")[0] for name in holding} == {"history"}, holding
