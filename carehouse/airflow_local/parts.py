"""The processes of the local Airflow: started once, watched, and stopped without leaving a child behind.

Each part leads a session of its own, so that whatever it has started can be found and ended even after
the part itself has died.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psutil  # type: ignore[import-untyped]

from carehouse.airflow_local.environment import (
    LOOPBACK,
    USER,
    address,
    airflow_home,
    environment,
    passwords_file,
)
from carehouse.airflow_local.metadata import migrate
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

# The API server goes last when stopping: tasks that are being ended report to it.
COMMANDS = {
    "dag-processor": ["dag-processor"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "api-server": ["api-server"],
}
HEALTHY_WITHIN_SECONDS = 180
STOPPED_WITHIN_SECONDS = 10
LOG_BYTES_KEPT = 10_000_000
CLOCK_TOLERANCE_SECONDS = 60

# The pid is noted by the new process itself: however we end, what we started can be found.
NOTE_PID_AND_RUN = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')

_started_here: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Part:
    """One process of the local Airflow as it is now. `died` means that it ended without being stopped."""

    name: str
    state: Literal["running", "stopped", "died"]
    pid: int | None
    log: Path


@dataclass(frozen=True)
class Leader:
    """The process that leads a part's session, and when its number was noted."""

    pid: int
    noted_at: float


def status(settings: Settings) -> str:
    """Say where Airflow is and, one line for each part, whether it runs."""
    lines = [f"Airflow on {address(settings)}: user {USER}, password in {passwords_file(settings)}"]
    for part in parts(settings):
        lines.append(f"  {part.name}: {part.state}" + (f" (process {part.pid})" if part.pid else ""))
    return "\n".join(lines)


def parts(settings: Settings) -> list[Part]:
    """Give each part as it is now."""
    return [_part(settings, name) for name in COMMANDS]


def start(settings: Settings) -> None:
    """Start the parts and return once Airflow is healthy. Does nothing when all run.

    If only some run, all are started anew: whatever ended one may have left another deaf.

    Raises:
        CarehouseError: the port is taken, the database cannot be reached, a part died, or Airflow is not
            healthy in time. What this call had started is stopped again.
    """
    with _alone(settings):
        if all(part.state == "running" for part in parts(settings)):
            _wait_until_healthy(settings, since=0.0)
            return
        _stop(settings)
        _refuse_taken_port(settings)
        migrate(settings)
        _write_passwords(settings)
        say(f"starting Airflow on {address(settings)} ({', '.join(sorted(COMMANDS))})")
        began = time.time()
        try:
            for name in COMMANDS:
                _launch(settings, name)
            _wait_until_healthy(settings, since=began)
        except BaseException:
            _stop(settings)
            raise


def stop(settings: Settings) -> None:
    """Stop every part and all that it has started. Running tasks get ten seconds."""
    with _alone(settings):
        _stop(settings)


def assert_alive(settings: Settings) -> None:
    """Raise a CarehouseError that names the part and its log if one has ended without being stopped."""
    for part in parts(settings):
        if part.state != "running":
            raise CarehouseError(
                f"Airflow's {part.name} is not running any more; its last words are in {part.log}. "
                "Start it again with: carehouse airflow start"
            )


def _folder(settings: Settings) -> Path:
    return airflow_home(settings) / "parts"


def _log(settings: Settings, name: str) -> Path:
    return airflow_home(settings) / "logs" / f"{name}.log"


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time start or stop the parts."""
    _folder(settings).mkdir(parents=True, exist_ok=True)
    with (_folder(settings) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _part(settings: Settings, name: str) -> Part:
    led = _read_leader(settings, name)
    if led is None:
        return Part(name, "stopped", None, _log(settings, name))
    return Part(name, "running" if _is_running(led) else "died", led.pid, _log(settings, name))


def _pid_file(settings: Settings, name: str) -> Path:
    return _folder(settings) / f"{name}.pid"


def _read_leader(settings: Settings, name: str) -> Leader | None:
    file = _pid_file(settings, name)
    try:
        return Leader(int(file.read_text()), file.stat().st_mtime)
    except (FileNotFoundError, ValueError):
        return None


def _is_running(led: Leader) -> bool:
    """Tell a running part from another process that was given its number later, and from a dead one."""
    with suppress(psutil.Error):
        process = psutil.Process(led.pid)
        return process.status() != psutil.STATUS_ZOMBIE and not _is_younger(process.create_time(), led)
    return False


def _is_younger(created_at: float, led: Leader) -> bool:
    return created_at > led.noted_at + CLOCK_TOLERANCE_SECONDS


def _launch(settings: Settings, name: str) -> None:
    log = _log(settings, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES_KEPT:
        log.replace(log.with_suffix(".log.1"))
    pid_file = _pid_file(settings, name)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*NOTE_PID_AND_RUN, str(pid_file), sys.executable, "-m", "airflow", *COMMANDS[name]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=airflow_home(settings),
            env=environment(settings),
            start_new_session=True,
        )
    _started_here.append(process)
    pid_file.write_text(f"{process.pid}\n")


def _write_passwords(settings: Settings) -> None:
    written = passwords_file(settings).with_suffix(".part")
    written.touch(mode=0o600)
    written.write_text(json.dumps({USER: settings.secret("airflow_password")}))
    written.replace(passwords_file(settings))


def _refuse_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, settings.airflow_port))
        except OSError:
            raise CarehouseError(
                f"Port {settings.airflow_port} is taken by another program: set CAREHOUSE_AIRFLOW_PORT to a "
                "free port and run again."
            ) from None


def _wait_until_healthy(settings: Settings, *, since: float) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while not _is_healthy(settings, since=since):
        assert_alive(settings)
        if time.monotonic() > deadline:
            raise CarehouseError(
                f"Airflow did not become healthy within {HEALTHY_WITHIN_SECONDS} s; its logs are in "
                f"{_log(settings, 'scheduler').parent}."
            )
        time.sleep(0.5)


def _is_healthy(settings: Settings, *, since: float) -> bool:
    """Say whether all parts answer, each with a heartbeat after `since`: an older one is a dead process's."""
    # Tasks report to the execution API, which is only put together when it is first asked for something.
    if not _read(settings, "/execution/health"):
        return False
    health = _read(settings, "/api/v2/monitor/health")
    return all(
        health.get(part, {}).get("status") == "healthy"
        and datetime.fromisoformat(health[part][f"latest_{part}_heartbeat"]).timestamp() >= since
        for part in ("scheduler", "dag_processor")
    )


def _read(settings: Settings, path: str) -> dict[str, Any]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address(settings)}{path}", timeout=30) as answer:
            return dict(json.load(answer))
    except (OSError, urllib.error.URLError, ValueError):
        return {}


def _stop(settings: Settings) -> None:
    for name in COMMANDS:
        led = _read_leader(settings, name)
        if led and _is_running(led):
            say(f"stopping Airflow's {name}")
            _ask_to_end(led)
        _end_session(settings, name)


def _ask_to_end(led: Leader) -> None:
    with suppress(ProcessLookupError):
        os.kill(led.pid, signal.SIGTERM)
    _wait_for_end(lambda: not _is_running(led))


def _end_session(settings: Settings, name: str) -> None:
    """End what a part has left behind, and forget the part."""
    led = _read_leader(settings, name)
    if led:
        _signal_session(led, signal.SIGTERM)
        _signal_session(led, signal.SIGKILL)
    _pid_file(settings, name).unlink(missing_ok=True)


def _signal_session(led: Leader, signal_number: signal.Signals) -> None:
    members = _session(led)
    for member in members:
        with suppress(ProcessLookupError):
            os.kill(member, signal_number)
    if members:
        _wait_for_end(lambda: not _session(led))


def _session(led: Leader) -> list[int]:
    """List the living processes of the session that a part led.

    The number of a session is not given to a new process while the session has a member, so a leader that
    is younger than its note means that ours is gone.
    """
    members = []
    for process in psutil.process_iter(["create_time", "status"]):
        with suppress(OSError):
            if os.getsid(process.pid) != led.pid or process.info["status"] == psutil.STATUS_ZOMBIE:
                continue
            if process.pid == led.pid and _is_younger(process.info["create_time"], led):
                return []
            members.append(process.pid)
    return members


def _wait_for_end(has_ended: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
    while not has_ended() and time.monotonic() < deadline:
        for process in _started_here:
            process.poll()
        time.sleep(0.1)
