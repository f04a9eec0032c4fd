"""Every setting of the local Airflow, as environment variables; no configuration file holds another."""

import base64
import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import quote

from carehouse.database import Role, url
from carehouse.settings import Settings

DATABASE = "airflow"
USER = "admin"
TASK_TOKEN_SECONDS = 6 * 60 * 60
LOOPBACK = "127.0.0.1"


def airflow_home(settings: Settings) -> Path:
    """Give the folder that holds all files of the local Airflow."""
    return settings.home / "airflow"


def address(settings: Settings) -> str:
    """Give the address of the Airflow pages and API, reachable from this machine only."""
    return f"http://{LOOPBACK}:{settings.airflow_port}"


def task_log(settings: Settings, dag_id: str, run_id: str, task_id: str, try_number: int) -> Path:
    """Give the file that holds the log of one try of a task."""
    run = airflow_home(settings) / "logs" / "tasks" / f"dag_id={dag_id}" / f"run_id={run_id}"
    return run / f"task_id={task_id}" / f"attempt={try_number}.log"


def passwords_file(settings: Settings) -> Path:
    """Give the file from which Airflow's simple login reads its users' passwords."""
    return airflow_home(settings) / "passwords.json"


def database_url(settings: Settings, *, driver: str | None = None) -> str:
    """Give the connection address of Airflow's own database, on the warehouse's server."""
    admin = url(settings, Role.ADMIN, driver=driver, database=DATABASE)
    scheme, _, rest = admin.partition("://")
    password = quote(settings.secret("airflow_database_password"), safe="")
    return f"{scheme}://{DATABASE}:{password}@{rest.rpartition('@')[2]}"


def environment(settings: Settings) -> dict[str, str]:
    """Give the whole environment for a process of the local Airflow.

    Settings of another Airflow on this machine are left out, and so is every call home.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return inherited | _shell() | _warehouse(settings) | _airflow(settings)


def _shell() -> dict[str, str]:
    programs = Path(sys.executable).parent
    unproxied = ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK, "localhost"]))
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Tasks report to the API server over HTTP, which must not leave through a proxy.
        "NO_PROXY": unproxied,
        "no_proxy": unproxied,
        "PYTHONUNBUFFERED": "1",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }


def _warehouse(settings: Settings) -> dict[str, str]:
    """Hand these very settings to the commands that the tasks run."""
    given = {
        "CAREHOUSE_HOME": str(settings.home),
        "CAREHOUSE_LANDING": str(settings.landing),
        "CAREHOUSE_DATABASE": settings.database,
        "CAREHOUSE_DATABASE_URL": settings.database_url or "",
        "CAREHOUSE_PORT": str(settings.port),
        "CAREHOUSE_AIRFLOW_PORT": str(settings.airflow_port),
        "CAREHOUSE_POSTGRES_BIN": str(settings.postgres_bin or ""),
    }
    return {name: value for name, value in given.items() if value}


def _airflow(settings: Settings) -> dict[str, str]:
    home = airflow_home(settings)
    options: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": settings.project / "dags",
            "plugins_folder": home / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "dags_are_paused_at_creation": False,
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": passwords_file(settings),
            "fernet_key": _fernet_key(settings),
            "execution_api_server_url": f"{address(settings)}/execution/",
            # The default asks a name server, which a laptop without a network waits for.
            "hostname_callable": "socket.gethostname",
        },
        "database": {"sql_alchemy_conn": database_url(settings, driver="psycopg2")},
        "api": {
            "host": LOOPBACK,
            "port": settings.airflow_port,
            "base_url": address(settings),
            "workers": 1,
            "secret_key": settings.secret("airflow_api_key"),
        },
        "api_auth": {"jwt_secret": _signing_key(settings)},
        "execution_api": {"jwt_expiration_time": TASK_TOKEN_SECONDS},
        "logging": {
            "base_log_folder": home / "logs" / "tasks",
            "dag_processor_child_process_log_directory": home / "logs" / "parsing",
            "worker_log_server_port": settings.airflow_port + 1,
            "trigger_log_server_port": settings.airflow_port + 2,
            "colored_console_log": False,
        },
        # A worker notices only at this interval, in seconds, that its task has ended.
        "workers": {"min_heartbeat_interval": 1},
        "scheduler": {
            # After a kill, tasks that died with their scheduler start again within a minute.
            "orphaned_tasks_check_interval": 20,
            "task_instance_heartbeat_timeout": 120,
        },
        "dag_processor": {"refresh_interval": 30, "parsing_processes": 2},
        # Airflow 3.3.2 has no telemetry; this keeps it off where a version has.
        "usage_data_collection": {"enabled": False},
    }
    return {"AIRFLOW_HOME": str(home)} | {
        f"AIRFLOW__{section.upper()}__{option.upper()}": str(value)
        for section, values in options.items()
        for option, value in values.items()
    }


def _signing_key(settings: Settings) -> str:
    """Stretch the secret to the 64 bytes that the signatures of SHA-512 ask for."""
    return hashlib.sha512(settings.secret("airflow_jwt_key").encode()).hexdigest()


def _fernet_key(settings: Settings) -> str:
    """Turn the secret, which may be of any length, into the 32 bytes that Fernet wants."""
    digest = hashlib.sha256(settings.secret("airflow_fernet_key").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()
