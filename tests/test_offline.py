"""The whole demonstration, Airflow and all, with no network but loopback: it works, and nothing tries to leave."""

import json
import os
import re
import subprocess
import sys

import pytest

from carehouse.settings import PROJECT
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
        subprocess.run([sys.executable, "-m", "carehouse", "db", "stop"], env=environment, check=False)
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
