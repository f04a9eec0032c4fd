"""The DAGs are those the contracts ask for, and they hold no data logic."""

import ast
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from carehouse.settings import PROJECT

Helpers = Callable[[str], ModuleType]

DAGS = PROJECT / "dags"
HEAVY = ("dbt", "great_expectations", "pandas", "polars", "psycopg", "pyarrow")

# What each task is declared to be: retries, and the most minutes it may take.
DECLARED = {
    "ingest": (2, 120),
    "announce": (2, 5),
    "report_refusals": (0, 5),
    "build": (1, 120),
    "gate": (1, 60),
    "publish": (2, 30),
    "prune": (1, 30),
    "reapply": (1, 120),
    "retain": (1, 120),
}

# Parsing is done where Airflow does it, in a process of its own, so that no test's Airflow is another's.
PARSE = """
import json, sys
from pathlib import Path
before = set(sys.modules)
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization
folder = Path(sys.argv[1])
loaded_by_airflow = set(sys.modules)
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
print(json.dumps({
    "errors": bag.import_errors,
    "warnings": bag.captured_warnings,
    "imported": sorted({name.partition(".")[0] for name in set(sys.modules) - loaded_by_airflow}),
    "dags": {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in sorted(bag.dags.items())},
}))
"""

FAKE_COMMAND = """
import signal, sys, time
from pathlib import Path
print("loading a file", file=sys.stderr)
if "wait" in sys.argv:
    note = Path(sys.argv[2])
    def end(*_):
        note.write_text("began, was ended")
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    note.write_text("began")
    time.sleep(30)
    note.write_text("outlived its task")
if "--json" in sys.argv:
    print("something else")
    print('{"accepted": 2}')
if "refuse" in sys.argv:
    print("carehouse: two things are wrong:", file=sys.stderr)
    print("  this and that", file=sys.stderr)
    sys.exit(3)
"""


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Helpers:
    """Import a helper of the DAGs folder the way Airflow does: by its bare name."""
    monkeypatch.syspath_prepend(DAGS)
    return importlib.import_module


@pytest.fixture
def fake_command(helpers: Helpers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the door, opening on a command that answers as the real one does."""
    package = tmp_path / "carehouse"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(FAKE_COMMAND)
    door = helpers("commands")
    monkeypatch.setattr(door, "PROJECT", tmp_path)
    return door


def test_there_is_a_dag_for_every_source_and_no_other() -> None:
    sources = {contract.parent.name for contract in (PROJECT / "ingestion" / "contracts").glob("*/*.yaml")}
    assert sources
    assert set(_parsed()["dags"]) == {f"load_{source}" for source in sources} | {
        "build_gate_publish",
        "housekeeping",
    }


def test_nothing_goes_wrong_while_parsing() -> None:
    assert _parsed()["errors"] == {}
    assert _parsed()["warnings"] == {}


def test_parsing_imports_nothing_heavy() -> None:
    assert not set(HEAVY) & set(_parsed()["imported"])
    imported = {name for path in DAGS.glob("*.py") for name in _imports(path)}
    assert imported
    assert not {"airflow.models", "airflow.settings", "airflow.utils.session", *HEAVY} & imported


def test_parsing_twice_gives_the_same_dags() -> None:
    # A difference would make a new version of the DAG at each parse. The seed moves the order of sets.
    assert _parse(seed="1") == _parsed()


@pytest.mark.parametrize("dag_id", ["load_", "build_gate_publish", "housekeeping"])
def test_one_run_at_a_time_and_no_catching_up(dag_id: str) -> None:
    dags = [dag for name, dag in _dags().items() if name.startswith(dag_id)]
    assert dags
    for dag in dags:
        assert dag["max_active_runs"] == 1
        assert dag["catchup"] is False
        assert "docs/how-to/" in dag["doc_md"]


def test_every_task_is_as_declared() -> None:
    tasks = [task for dag in _dags().values() for task in _tasks(dag)]
    assert {task["task_id"] for task in tasks} == set(DECLARED)
    for task in tasks:
        retries, minutes = DECLARED[task["task_id"]]
        assert task["owner"] not in ("", "airflow")
        assert task["retries"] == retries, task["task_id"]
        assert task["execution_timeout"] == minutes * 60, task["task_id"]


def test_publishing_follows_every_source_or_the_morning() -> None:
    timetable = json.dumps(_dags()["build_gate_publish"]["timetable"])
    loads = [dag_id for dag_id in _dags() if dag_id.startswith("load_")]
    assert len(set(re.findall(r"carehouse://accepted/(\w+)", timetable))) == len(loads)
    assert "0 6 * * *" in timetable
    assert "asset_all" in timetable


def test_each_load_announces_its_own_source() -> None:
    for dag_id, dag in _dags().items():
        if dag_id.startswith("load_"):
            source = dag_id.removeprefix("load_")
            announce = next(task for task in _tasks(dag) if task["task_id"] == "announce")
            assert f"carehouse://accepted/{source}" in json.dumps(announce["outlets"])


@pytest.mark.parametrize(
    ("asked", "logical", "run_after", "carried", "expected"),
    [
        pytest.param(
            None, "2026-06-30T23:30:00+00:00", None, {}, ["2026-07-01"] * 2, id="the day is London's, not UTC's"
        ),
        pytest.param(None, None, "2026-01-05T12:00:00+00:00", {}, ["2026-01-05"] * 2, id="a manual run"),
        pytest.param("2018-10-31", None, "2026-01-05T12:00:00+00:00", {}, ["2018-10-31"] * 2, id="asked for"),
        pytest.param(
            None,
            None,
            "2026-01-05T12:00:00+00:00",
            {"a": ["2018-10-30"], "b": ["2018-10-31", "2018-10-29"]},
            ["2026-01-05", "2018-10-31"],
            id="the latest that is carried",
        ),
        pytest.param(
            "2018-10-01",
            None,
            "2026-01-05T12:00:00+00:00",
            {"a": ["2018-10-31"]},
            ["2018-10-01"] * 2,
            id="what was asked for beats what is carried",
        ),
    ],
)
def test_the_business_date(
    asked: str | None,
    logical: str | None,
    run_after: str | None,
    carried: dict[str, list[str]],
    expected: list[str],
    helpers: Helpers,
) -> None:
    events = {asset: [SimpleNamespace(extra={"business_date": day}) for day in days] for asset, days in carried.items()}
    context = {
        "params": {"business_date": asked},
        "logical_date": datetime.fromisoformat(logical) if logical else None,
        "dag_run": SimpleNamespace(run_after=datetime.fromisoformat(run_after) if run_after else None),
        "triggering_asset_events": events,
    }
    days = helpers("business_date")
    assert [days.business_date(context), days.as_at(context)] == expected


@pytest.mark.parametrize(
    ("arguments", "accepted", "expected"),
    [
        pytest.param(["ingest", "--json"], [0], (0, {"accepted": 2}), id="the last line is the answer"),
        pytest.param(["prune"], [0], (0, {}), id="no answer asked for"),
        pytest.param(["refuse", "--json"], [0, 3], (3, {"accepted": 2}), id="an exit code that is accepted"),
    ],
)
def test_the_door_gives_what_the_command_answers(
    arguments: list[str], accepted: list[int], expected: object, fake_command: ModuleType
) -> None:
    assert fake_command.carehouse(*arguments, accept=accepted) == expected


def test_the_door_repeats_the_command_s_own_words(fake_command: ModuleType) -> None:
    with pytest.raises(RuntimeError) as refused:
        fake_command.carehouse("refuse", "--json")
    assert str(refused.value) == (
        "carehouse refuse --json ended with exit code 3: two things are wrong:\n  this and that"
    )


def test_the_door_lets_no_process_outlive_its_task(fake_command: ModuleType, tmp_path: Path) -> None:
    def run_out_of_time(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, run_out_of_time)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        with pytest.raises(TimeoutError):
            fake_command.carehouse("wait", str(tmp_path / "outlived"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert (tmp_path / "outlived").read_text() == "began, was ended"


@pytest.mark.parametrize("package", ["ingestion", "expectations"])
def test_only_dags_and_the_local_runner_know_airflow(package: str) -> None:
    files = list((PROJECT / package).rglob("*.py"))
    assert files
    for path in files:
        assert not {name for name in _imports(path) if name.partition(".")[0] == "airflow"}, path


@cache
def _parsed() -> dict[str, Any]:
    return _parse(seed="0")


def _dags() -> dict[str, dict[str, Any]]:
    return {dag_id: each["dag"] for dag_id, each in _parsed()["dags"].items()}


def _tasks(dag: dict[str, Any]) -> list[dict[str, Any]]:
    defaults = dag.get("default_args", {})
    values = defaults.get("__var", defaults)
    assert dag["tasks"]
    return [{**values, **task["__var"]} for task in dag["tasks"]]


def _parse(seed: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(_python(PARSE, str(DAGS), PYTHONHASHSEED=seed))
    return parsed


def _python(code: str, *arguments: str, **environment: str) -> str:
    """Run Python as Airflow would start it, without anybody's settings; give its last line of output."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": _airflow_home(),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            **environment,
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


@cache
def _airflow_home() -> str:
    return tempfile.mkdtemp(prefix="airflow-")


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
