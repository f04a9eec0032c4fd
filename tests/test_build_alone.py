"""A build reads one state of history, and leaves nothing at work when it is killed."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from carehouse import history_lock
from carehouse.database import Role, connect
from expectations.gate import render, run_gate
from tests import read_project
from tests.conftest import Warehouse

pytestmark = pytest.mark.any_server

AS_AT = date(2018, 10, 31)
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


def started(warehouse: Warehouse, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "carehouse", *arguments],
        env=warehouse.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(holds: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    while not holds():
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)


def has_waiting(warehouse: Warehouse) -> bool:
    return warehouse.rows(WAITING) != [(0,)]


def works(process: Path) -> bool:
    """Say whether a process is there and more than what nobody has asked the end of."""
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def dbt_of(build: subprocess.Popen[str]) -> list[Path]:
    """Give the processes of dbt that a build has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, status = (process / "cmdline").read_bytes(), (process / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"carehouse.dbt_process" in words and f"PPid:\t{build.pid}\n" in status:
            found.append(process)
    return found


@pytest.fixture
def landed(warehouse: Warehouse) -> Warehouse:
    warehouse.land_examples()
    assert warehouse.command("ingest", "--business-date", str(AS_AT)).returncode == 0
    read_project.hand_over(warehouse.settings)
    return warehouse


def test_what_lands_while_a_build_runs_waits_and_is_in_none_of_its_tables(landed: Warehouse) -> None:
    built = started(landed, "build", "--as-at", str(AS_AT))
    until(lambda: landed.rows("select from audit.build where state = 'building'") != [], built)
    # A target of the report is put right, and a status with it: one without the other would be wrong.
    for table, was, should_be in (("savings_targets", ",", ",1"), ("statuses", "Same", "Worse")):
        late = f"county/programme/{table}_2018-10-31.csv"
        *others, last = (landed.settings.project / "examples" / "landing" / late).read_text().splitlines()
        begins, ends = last.rsplit(was, 1)
        landed.land(late, "\n".join([*others, f"{begins}{should_be}{ends}"]) + "\n")
    loading = started(landed, "ingest", "--business-date", str(AS_AT))
    until(lambda: has_waiting(landed), loading)
    said = loading.communicate()[1]
    assert "waiting: a build reads history" in said
    assert built.wait() == 0
    assert landed.rows(
        """
        select count(*), min(batch.finished_at) > max(build.finished_at)
        from audit.batch as batch cross join audit.build as build
        where batch.started_at > build.started_at
        """
    ) == [(2, True)]
    # What landed since is not held against a build that could not have it.
    report = run_gate(landed.settings, 1)
    assert report.passed, render(report)


def test_a_build_waits_for_loads_and_takes_its_dbt_with_it_when_it_is_killed(landed: Warehouse) -> None:
    with connect(landed.settings, Role.LOADER) as loader:
        history_lock.change(loader)
        loader.commit()
        build = started(landed, "build", "--as-at", str(AS_AT))
        until(lambda: has_waiting(landed), build)
        assert landed.rows("select from audit.build") == []
    until(lambda: dbt_of(build) != [], build)
    left = dbt_of(build)
    build.kill()
    assert "waiting for a load that is under way" in build.communicate()[1]
    while any(works(process) for process in left):
        time.sleep(0.02)
    assert landed.rows("select from pg_class where relnamespace = 'candidate'::regnamespace and relkind = 'r'") == []
    with connect(landed.settings, Role.LOADER) as loader:
        assert loader.execute("select pg_try_advisory_lock(hashtext('carehouse history'))").fetchone() == (True,)
