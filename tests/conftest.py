"""A fresh warehouse for each test, on every PostgreSQL that is here."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carehouse import embedded
from carehouse.bootstrap import prepare
from carehouse.build import dbt_target
from carehouse.database import Role, connect, url
from carehouse.settings import PROJECT, Settings
from ingestion.contract import load_contracts
from ingestion.history import ensure_tables
from tests import canary, read_project
from tests.side_by_side import OneProcessForWhatIsShared

TEMPLATE = "warehouse_template"
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
SERVERS = ["embedded"] + (["debian_15"] if (DEBIAN_15 / "initdb").exists() else [])
_numbers = itertools.count(1)

STATUS_REPORT = ("alternative_delivery", "amounts_at_risk", "programmes", "projects", "savings_targets", "statuses")


@dataclass(frozen=True)
class Warehouse:
    """A prepared, empty database of its own with a home folder of its own."""

    settings: Settings
    environment: dict[str, str]

    def admin(self) -> psycopg.Connection[Any]:
        """Connect as the server's administrator, each statement its own transaction."""
        return connect(self.settings, Role.ADMIN, autocommit=True)

    def rows(self, query: str, role: Role = Role.ADMIN) -> list[tuple[Any, ...]]:
        """Answer one query."""
        with connect(self.settings, role, autocommit=True) as asking:
            return asking.execute(query).fetchall()  # type: ignore[arg-type]

    def land(self, name: str, text: str | bytes) -> Path:
        """Put a file into the landing folder, as `<council>/<source>/<table>_<date>.csv`."""
        path = self.settings.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def land_examples(self) -> None:
        """Put the status report of October 2018, as printed, into the landing folder: six files."""
        for table in STATUS_REPORT:
            name = f"county/programme/{table}_2018-10-31.csv"
            self.land(name, (self.settings.project / "examples" / "landing" / name).read_bytes())

    def land_all_examples(self) -> None:
        """Put every example file into the landing folder, those of earlier and later papers too."""
        examples = self.settings.project / "examples" / "landing"
        shutil.copytree(examples, self.settings.landing, dirs_exist_ok=True)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `carehouse` command as a person would."""
        if arguments[0] in ("build", "run"):
            read_project.hand_over(self.settings)
        return subprocess.run(
            [sys.executable, "-m", "carehouse", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def short_lived_folder() -> Iterator[Path]:
    """A folder for a server's data: not below pytest's own, which it closes to the user PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="carehouse-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run on the first server alone what is marked as showing the same on any."""
    again = [item for item in items if item.get_closest_marker("any_server") and _server(item) in SERVERS[1:]]
    items[:] = [item for item in items if item not in again]
    config.hook.pytest_deselected(items=again)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneProcessForWhatIsShared:
    """Keep together what shares a fixture that takes long to make."""
    return OneProcessForWhatIsShared(config, log)


def _server(item: pytest.Item) -> str | None:
    parameters = getattr(item, "callspec", None)
    return parameters.params.get("server") if parameters else None


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """One running server of each kind."""
    with short_lived_folder() as home:
        environment = {"CAREHOUSE_HOME": str(home), "CAREHOUSE_PORT": str(free_port())}
        if request.param == "debian_15":
            environment["CAREHOUSE_POSTGRES_BIN"] = str(DEBIAN_15)
        settings = Settings.load(environment)
        embedded.start(settings)
        with connect(settings, Role.ADMIN, autocommit=True, database="postgres") as admin:
            # Some hundred databases come and go, each waiting for the disk twice. Only a machine that loses power would
            # miss it: a server or a client that is killed loses nothing by it.
            admin.execute("alter system set fsync = off")
            admin.execute("select pg_reload_conf()")
        yield settings
        embedded.stop(settings)


@contextmanager
def fresh_warehouse(server: Settings, home: Path) -> Iterator[Warehouse]:
    """Make a warehouse on that server, reached by address as a given server is; drop it afterwards."""
    # As long as every other: see read_project.
    database = f"warehouse_{next(_numbers):05}"
    _make_template(server)
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as admin:
        admin.execute(f"create database {database} template {TEMPLATE}")  # type: ignore[arg-type]
    home.mkdir()
    settings_from = _settings_from(server, home, database)
    settings = Settings.load(settings_from)
    give_rights_on_database(settings)
    yield Warehouse(settings, {**os.environ, **settings_from})
    read_project.keep(settings)
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as admin:
        admin.execute(f"drop database {database} with (force)")  # type: ignore[arg-type]


def _make_template(server: Settings) -> None:
    """Make the database that warehouses are copied from, once a server: it has the history tables already."""
    home = server.home / TEMPLATE
    if home.exists():
        return
    home.mkdir()
    settings = Settings.load(_settings_from(server, home, TEMPLATE))
    prepare(settings)
    with connect(settings, Role.LOADER) as loader:
        ensure_tables(loader, load_contracts())
    # Roles belong to the server, so every warehouse on it uses the same passwords.
    shutil.copy(home / "secrets.json", server.home)


def give_rights_on_database(settings: Settings) -> None:
    """Give roles their rights on a database that was copied: all else in it was prepared with the original."""
    with connect(settings, Role.ADMIN) as admin:
        admin.execute((PROJECT / "carehouse" / "sql" / "roles.sql").read_text(encoding="utf-8"))  # type: ignore[arg-type]


def _settings_from(server: Settings, home: Path, database: str) -> dict[str, str]:
    if (server.home / "secrets.json").exists():
        shutil.copy(server.home / "secrets.json", home)
    return {"CAREHOUSE_HOME": str(home), "CAREHOUSE_DATABASE_URL": url(server, Role.ADMIN, database=database)}


@pytest.fixture
def warehouse(server: Settings, tmp_path: Path) -> Iterator[Warehouse]:
    """A fresh, empty warehouse."""
    with fresh_warehouse(server, tmp_path / "home") as fresh:
        yield fresh


@dataclass(frozen=True)
class Night:
    """One real night: the October 2018 register and an invented council, published; for tests that only read."""

    warehouse: Warehouse
    extracts: Path
    said: str
    dbt_results: Path  # of the build that was published: a later one writes over them


@pytest.fixture(scope="session")
def night(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Land, load, build, gate and publish once, through the command."""
    with _published(server, tmp_path_factory.mktemp("night"), "2018-10-31") as published:
        yield published


@pytest.fixture(scope="session")
def built_again(night: Night) -> Night:
    """The night with a candidate once more, of the same knowledge; its figures may be changed by who has compared them."""
    shown = "select * from mart.kpi_portfolio_status order by council_code, report_order"
    before = night.warehouse.rows(shown)
    built = night.warehouse.command("build", "--as-at", "2018-10-31")
    assert built.returncode == 0, built.stderr
    assert night.warehouse.rows(shown) == before != []
    return night


@pytest.fixture(scope="session")
def january(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The night of 7 January 2019, with that day's papers; for tests that only read."""
    with _published(server, tmp_path_factory.mktemp("january"), "2019-01-07") as published:
        yield published


@contextmanager
def _published(server: Settings, folder: Path, business_date: str) -> Iterator[Night]:
    with fresh_warehouse(server, folder / "home") as fresh:
        fresh.land_all_examples()
        made = fresh.command("synth", "--people", "600", "--seed", "2")
        assert made.returncode == 0, made.stderr
        canary.plant(fresh.settings.landing)
        shutil.copytree(fresh.settings.landing, folder / "extracts")
        ran = fresh.command("run", "--business-date", business_date)
        assert ran.returncode == 0, ran.stderr + ran.stdout
        read_project.keep(fresh.settings)
        results = shutil.copy(dbt_target(fresh.settings) / "run_results.json", folder)
        yield Night(fresh, folder / "extracts", ran.stdout + ran.stderr, Path(results))
