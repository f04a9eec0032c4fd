"""Servers and warehouses to measure on: in a temporary folder, gone afterwards, nobody's own installation."""

import itertools
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.child import Finished, run
from carehouse import embedded
from carehouse.bootstrap import prepare
from carehouse.database import Role, connect
from carehouse.settings import Settings

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Warehouse:
    """A prepared, empty warehouse with a landing folder of its own."""

    settings: Settings
    environment: dict[str, str]

    def connect(self, role: Role) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as `role`, each statement its own transaction."""
        return connect(self.settings, role, autocommit=True)

    def settle(self) -> None:
        """Write out what was done so far, so that it does not slow down what is timed next."""
        with self.connect(Role.ADMIN) as admin:
            admin.execute("checkpoint")

    def land(self, extract: Path, below: Path) -> None:
        """Put a copy of one file into the landing folder, at its path below `below`."""
        target = self.settings.landing / extract.relative_to(below)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(extract, target)

    def command(self, *arguments: str) -> Finished:
        """Run `carehouse <arguments>` as a person would, the start of Python included."""
        return run([sys.executable, "-m", "carehouse", *arguments], self.environment)

    def load(self, day: date) -> Finished:
        """Load what was landed as `carehouse ingest` does, but without its judge of arrivals."""
        environment = {**self.environment, "POLARS_MAX_THREADS": "1"}
        return run([sys.executable, "-m", "benchmarks.ingest", day.isoformat()], environment)


@contextmanager
def scratch_server() -> Iterator[Path]:
    """Run an embedded server of its own; give its home folder."""
    # Whatever we start inherits the environment, and must not find a given database there.
    os.environ.pop("CAREHOUSE_DATABASE_URL", None)
    home = Path(tempfile.mkdtemp(prefix="carehouse-benchmark-"))
    os.environ |= {
        "CAREHOUSE_HOME": str(home),
        "CAREHOUSE_PORT": str(_free_port()),
        "CAREHOUSE_AIRFLOW_PORT": str(_free_port()),
    }
    settings = Settings.load()
    try:
        embedded.start(settings)
        yield home
    finally:
        embedded.stop(settings)
        shutil.rmtree(home)


@contextmanager
def warehouse(home: Path) -> Iterator[Warehouse]:
    """Make an empty warehouse on the server of that home; drop it afterwards."""
    name = f"warehouse_{next(_numbers)}"
    environment = {**os.environ, "CAREHOUSE_DATABASE": name, "CAREHOUSE_LANDING": str(home / "landing" / name)}
    made = Warehouse(Settings.load(environment), environment)
    prepare(made.settings)
    try:
        yield made
    finally:
        with connect(made.settings, Role.ADMIN, autocommit=True, database="postgres") as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        for used in (made.settings.landing, home / "archive", home / "dbt"):
            shutil.rmtree(used, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
