"""The embedded server's faults: each is put right by running again, or said in one line with what to do."""

import os
import signal
import socket
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from carehouse import embedded, preflight
from carehouse.bootstrap import prepare
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from tests.conftest import free_port, short_lived_folder

Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A home of its own, with no server yet."""
    with short_lived_folder() as home:
        fresh = Settings.load({"CAREHOUSE_HOME": str(home), "CAREHOUSE_PORT": str(free_port())})
        yield fresh
        embedded.stop(fresh)


def test_starting_is_idempotent_and_survives_a_kill(settings: Settings) -> None:
    prepare(settings)
    prepare(settings)
    pid = int((settings.home / "postgres/data/postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    while embedded.is_running(settings):
        pass
    prepare(settings)
    with connect(settings, Role.READER) as reader:
        assert reader.execute("select count(*) from mart.publication").fetchone() == (0,)


def test_a_half_made_data_folder_is_made_again(settings: Settings) -> None:
    part = settings.home / "postgres/data.part"
    part.mkdir(parents=True)
    (part / "PG_VERSION").write_text("18")
    prepare(settings)
    assert embedded.is_running(settings)


def test_a_kill_during_the_first_start_leaves_nothing_that_stops_the_next(settings: Settings) -> None:
    environment = {**os.environ, "CAREHOUSE_HOME": str(settings.home), "CAREHOUSE_PORT": str(settings.port)}
    for seconds in (0.3, 0.6, 0.9):
        starting = subprocess.Popen([sys.executable, "-m", "carehouse", "db", "start"], env=environment)
        try:
            starting.wait(seconds)
        except subprocess.TimeoutExpired:
            starting.kill()
            starting.wait()
    prepare(settings)
    assert embedded.is_running(settings)


def test_a_taken_port_is_named_with_the_setting_to_change(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()
        with pytest.raises(CarehouseError, match=rf"Port {settings.port} is taken.*CAREHOUSE_PORT"):
            prepare(settings)


def test_a_full_disk_is_refused_before_anything_is_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Disk(1 << 40, 1 << 40, 1 << 20))
    with pytest.raises(CarehouseError, match=r"less than 1 GiB free: make room, or set CAREHOUSE_HOME"):
        prepare(settings)
    assert not (settings.home / "postgres").exists()


def test_another_versions_data_folder_is_left_alone(settings: Settings) -> None:
    data = settings.home / "postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("13\n")
    with pytest.raises(CarehouseError, match="was made by PostgreSQL 13"):
        prepare(settings)
    assert (data / "PG_VERSION").read_text() == "13\n"


def test_damaged_secrets_are_not_replaced(settings: Settings) -> None:
    settings.home.mkdir(exist_ok=True)
    (settings.home / "secrets.json").write_text('{"admin_password": "x')
    with pytest.raises(CarehouseError, match=r"secrets\.json is damaged"):
        prepare(settings)


def test_secrets_are_readable_by_their_owner_only(settings: Settings) -> None:
    settings.secret("pseudonym_key")
    assert (settings.home / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(CarehouseError, match="CAREHOUSE_PORT must be a port number"):
        Settings.load({"CAREHOUSE_PORT": "http"})


def test_the_server_listens_on_loopback_and_asks_for_a_password(settings: Settings) -> None:
    prepare(settings)
    with connect(settings, Role.ADMIN) as admin:
        assert admin.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        rules = admin.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]


@pytest.mark.parametrize(
    ("version", "free", "says"),
    [
        ((3, 10), 1 << 40, "needs Python 3.11, 3.12 or 3.13; this is 3.10"),
        ((3, 14), 1 << 40, "make PYTHON="),
        ((3, 11), 1 << 20, "needs 4 GiB free"),
        ((3, 12), 1 << 40, None),
    ],
)
def test_what_a_machine_lacks_is_said_first(
    version: tuple[int, int], free: int, says: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Disk(1 << 50, 0, free))
    said = preflight.missing(version, str(tmp_path))
    assert said is None if says is None else says in said
