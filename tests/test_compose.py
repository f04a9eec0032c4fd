"""The server installation agrees with the code: names, versions, and no secret or open port in a file."""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from carehouse.database import Role
from carehouse.embedded import programs
from carehouse.settings import PROJECT, Settings
from ingestion.pseudonyms import secret_name

COMPOSE = PROJECT / "docker-compose.yml"
DOCKERFILE = PROJECT / "Dockerfile"
REQUIRED = re.compile(r"\$\{([A-Z_]+):\?")
SECRET = re.compile(r"(PASSWORD|SECRET|KEY|_CONN|BROKER_URL|RESULT_BACKEND)$")

# One-shot services are waited for by their end, which needs no health check.
ONE_SHOT = {"init"}

# Neither read by 3.3.2 nor harmful: it keeps telemetry off in a version that has it.
OPTION_OF_OTHER_VERSIONS = ("usage_data_collection", "enabled")

IN_AIRFLOW = """
import json, sys
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
ProvidersManager().initialize_providers_configuration()
from airflow.cli.cli_parser import get_parser
asked = json.load(sys.stdin)
known = conf.configuration_description
unknown = [o for o in asked["options"] if o[1] not in known.get(o[0], {"options": {}})["options"]]
for command in asked["commands"]:
    get_parser().parse_args(command)
json.dump(unknown, sys.stdout)
"""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Give the services as Compose reads them, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    assert found
    return found


def test_every_service_restarts_and_says_whether_it_is_healthy(services: dict[str, Any]) -> None:
    assert services.keys() > ONE_SHOT
    for name, service in services.items():
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert ("healthcheck" in service) == (name not in ONE_SHOT), name


def test_no_port_is_open_beyond_this_machine(services: dict[str, Any]) -> None:
    ports = list(chain.from_iterable(service.get("ports", []) for service in services.values()))
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_secret_is_required_and_none_is_written_down(services: dict[str, Any]) -> None:
    secrets = [
        (name, variable, value)
        for name, service in services.items()
        for variable, value in service.get("environment", {}).items()
        if SECRET.search(variable)
    ]
    assert secrets
    for name, variable, value in secrets:
        assert REQUIRED.search(value), f"{variable} of {name}"
    assert not re.search(r"://[^$:@/\s]*:[^$@/\s]+@", COMPOSE.read_text()), "a password in an address"


def test_the_image_runs_as_nobody_special_and_cannot_be_written_to(services: dict[str, Any]) -> None:
    ours = [service for service in services.values() if service["image"].startswith("carehouse:")]
    assert len(ours) == 5
    for service in ours:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER carehouse$", DOCKERFILE.read_text(), re.MULTILINE)


def test_settings_are_ones_the_code_reads(services: dict[str, Any]) -> None:
    code = "\n".join(path.read_text() for path in (PROJECT / "carehouse").rglob("*.py"))
    code += "\n".join(path.read_text() for path in (PROJECT / "ingestion").rglob("*.py"))
    read = set(re.findall(r"CAREHOUSE_[A-Z_]+[A-Z]", code))
    read |= {f"CAREHOUSE_{name.upper()}" for name in re.findall(r"secret\(\"(\w+)\"\)", code)}
    read |= {f"CAREHOUSE_{secret_name(version).upper()}" for version in (1, 2)}
    read |= {f"CAREHOUSE_{role.secret_name.upper()}" for role in Role}
    given = {
        variable
        for service in services.values()
        for variable in service.get("environment", {})
        if variable.startswith("CAREHOUSE_")
    }
    given |= set(re.findall(r"\b(CAREHOUSE_[A-Z]+)=", DOCKERFILE.read_text()))
    assert {"CAREHOUSE_DATABASE_URL", "CAREHOUSE_HOME", "CAREHOUSE_LANDING"} <= given
    assert given <= read


def test_every_role_has_its_password_where_the_roles_are_made(services: dict[str, Any]) -> None:
    roles = {f"CAREHOUSE_{role.secret_name.upper()}" for role in Role if role is not Role.ADMIN}
    assert roles <= services["init"]["environment"].keys()


def test_only_the_one_shot_service_knows_the_administrator(services: dict[str, Any]) -> None:
    knowing = {
        name
        for name, service in services.items()
        if "${POSTGRES_PASSWORD" in json.dumps(service.get("environment", {}))
    }
    assert knowing == {"postgres", "init"}


def test_airflow_knows_every_option_and_every_command(services: dict[str, Any], tmp_path: Path) -> None:
    options = {
        tuple(variable.removeprefix("AIRFLOW__").lower().split("__"))
        for service in services.values()
        for variable in service.get("environment", {})
        if variable.startswith("AIRFLOW__")
    }
    lines = [service["command"] for service in services.values() if service["image"].startswith("carehouse:")]
    commands = [line[1:] for line in lines if line[0] == "airflow"]
    commands.append(["db", "migrate"])
    assert len(options) > 10
    assert len(commands) == 5
    done = subprocess.run(
        [sys.executable, "-c", IN_AIRFLOW],
        input=json.dumps({"options": sorted(options), "commands": commands}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": "redis://127.0.0.1:1/0",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    unknown = [tuple(option) for option in json.loads(done.stdout.splitlines()[-1])]
    assert unknown == [OPTION_OF_OTHER_VERSIONS]


def test_versions_agree_with_the_lock() -> None:
    pyproject = (PROJECT / "pyproject.toml").read_text()
    supported = SpecifierSet(re.findall(r'requires-python = "(.+)"', pyproject)[0])
    pythons = set(re.findall(r"^FROM python:(\d+\.\d+)-", DOCKERFILE.read_text(), re.MULTILINE))
    assert len(pythons) == 1
    assert pythons <= set(map(str, supported.filter(pythons)))
    assert "--require-hashes -r requirements.lock" in DOCKERFILE.read_text()


def test_the_server_is_the_embedded_one_s_major_version(services: dict[str, Any]) -> None:
    said = subprocess.run(
        [programs(Settings.load({})) / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    major = said.stdout.split()[-1].partition(".")[0]
    assert services["postgres"]["image"].startswith(f"postgres:{major}-")


def test_the_image_is_made_of_what_it_needs_and_of_nothing_private() -> None:
    rules = (PROJECT / ".dockerignore").read_text().split()
    needed = {"carehouse", "ingestion", "expectations", "dags", "dbt_project", "requirements.lock"}
    assert "*" in rules
    assert needed <= {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert not {"!.env", "!.carehouse", "!.git"} & set(rules)


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs the docker client")
def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    names = sorted(set(REQUIRED.findall(COMPOSE.read_text())))
    assert names
    (tmp_path / "secrets.env").write_text("".join(f"{name}=x\n" for name in names))
    docker = ["docker", "compose"]
    if subprocess.run([*docker, "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs docker compose")
    done = subprocess.run(
        [*docker, "--file", COMPOSE, "--env-file", tmp_path / "secrets.env", "config", "--quiet"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
