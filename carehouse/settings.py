"""Every setting of an installation, read from the environment or from `.carehouse/`, in one place."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehouse.errors import CarehouseError

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """One installation: where its files are and how its database is reached.

    Each field is set by the environment variable named in `load`. Secrets are not fields, so that
    printing the settings never shows one.
    """

    project: Path
    home: Path
    landing: Path
    database_url: str | None
    database: str
    port: int
    airflow_port: int
    postgres_bin: Path | None

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        `CAREHOUSE_HOME` (default `.carehouse/` in the project), `CAREHOUSE_LANDING` (default
        `landing/` in the home), `CAREHOUSE_DATABASE_URL` (a PostgreSQL 15+ to use instead of the
        embedded server; its user must be able to create roles and schemas), `CAREHOUSE_PORT` (of the
        embedded server), `CAREHOUSE_AIRFLOW_PORT`, `CAREHOUSE_POSTGRES_BIN` (other PostgreSQL programs
        for the embedded server).

        Raises:
            CarehouseError: a port is not a number from 1024 to 65535.
        """
        given = os.environ if environment is None else environment
        home = Path(given.get("CAREHOUSE_HOME") or PROJECT / ".carehouse").resolve()
        postgres_bin = given.get("CAREHOUSE_POSTGRES_BIN")
        return cls(
            project=PROJECT,
            home=home,
            landing=Path(given.get("CAREHOUSE_LANDING") or home / "landing").resolve(),
            database_url=given.get("CAREHOUSE_DATABASE_URL") or None,
            database=given.get("CAREHOUSE_DATABASE") or "carehouse",
            port=_port(given, "CAREHOUSE_PORT", 54330),
            airflow_port=_port(given, "CAREHOUSE_AIRFLOW_PORT", 8085),
            postgres_bin=Path(postgres_bin) if postgres_bin else None,
        )

    def secret(self, name: str) -> str:
        """Give the secret `name`, such as `loader_password`.

        It comes from the environment variable `CAREHOUSE_<NAME>`, else from `secrets.json` in the home
        (readable by its owner only), where it is made at first use.
        """
        return self.secret_if_any(name) or self._kept_secret(name, make=True) or ""

    def secret_if_any(self, name: str) -> str | None:
        """Give the secret `name` as `secret` does, but never make it."""
        return self.secret_from_environment(name) or self._kept_secret(name, make=False)

    def secret_from_environment(self, name: str) -> str | None:
        """Give the secret `name` if it is an environment variable."""
        return os.environ.get(f"CAREHOUSE_{name.upper()}") or None

    def _kept_secret(self, name: str, *, make: bool) -> str | None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "secrets.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept_in = self.home / "secrets.json"
            try:
                kept: dict[str, str] = json.loads(kept_in.read_text())
            except FileNotFoundError:
                kept = {}
            except json.JSONDecodeError as error:
                raise CarehouseError(
                    f"{kept_in} is damaged. Restore it from your backup; without it the database's passwords "
                    "and the pseudonym key are lost."
                ) from error
            if name not in kept and make:
                kept[name] = secrets.token_urlsafe(24)
                written = kept_in.with_suffix(".part")
                written.touch(mode=0o600)
                written.write_text(json.dumps(kept, indent=1, sort_keys=True))
                written.replace(kept_in)
            return kept.get(name)


def _port(given: Mapping[str, str], variable: str, default: int) -> int:
    text = given.get(variable) or str(default)
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise CarehouseError(f"{variable} must be a port number from 1024 to 65535.")
    return int(text)
