"""Airflow's own database: in the warehouse's server, under its own role, whole before Airflow starts."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from carehouse.airflow_local.environment import DATABASE, airflow_home, database_url, environment
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring Airflow's database to the installed version. Does nothing when it is there already.

    Raises:
        CarehouseError: the database cannot be reached, or Airflow could not migrate it.
    """
    wanted = version("apache-airflow-core")
    make_database(settings)
    revision = _revision(settings)
    if revision and _migrated(settings) == {"airflow": wanted, "revision": revision}:
        return
    say(f"migrating Airflow's database to {wanted}")
    _run_migration(settings)
    _migrated_file(settings).write_text(json.dumps({"airflow": wanted, "revision": _revision(settings)}))


def make_database(settings: Settings) -> None:
    """Make Airflow's database and its role, or set the role's password if they are there.

    The database is made afresh if a first migration was killed half-way: it has nothing to lose yet.
    """
    _make_role_and_database(settings)
    if _revision(settings) is None and _has_tables(settings):
        say("Airflow's first migration was cut short; beginning it afresh")
        _drop_database(settings)
        _make_role_and_database(settings)


def _make_role_and_database(settings: Settings) -> None:
    role = sql.Identifier(DATABASE)
    with connect(settings, Role.ADMIN, autocommit=True) as admin:
        # The server is shown a verifier, so that no log of statements can hold the password.
        verifier = admin.pgconn.encrypt_password(
            settings.secret("airflow_database_password").encode(), DATABASE.encode(), b"scram-sha-256"
        ).decode()
        if admin.execute("select from pg_roles where rolname = %s", [DATABASE]).fetchone() is None:
            admin.execute(sql.SQL("create role {}").format(role))
            admin.execute(sql.SQL("grant {} to current_user").format(role))
        admin.execute(sql.SQL("alter role {} login password {}").format(role, sql.Literal(verifier)))
        if admin.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            admin.execute(sql.SQL("create database {0} owner {0}").format(role))
            admin.execute(sql.SQL("revoke all on database {} from public").format(role))


def _drop_database(settings: Settings) -> None:
    with connect(settings, Role.ADMIN, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE)))


def _revision(settings: Settings) -> str | None:
    """Give the revision of the tables, or None if no migration has ended yet."""
    with psycopg.connect(database_url(settings)) as airflow:
        try:
            row = airflow.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        return str(row[0]) if row else None


def _has_tables(settings: Settings) -> bool:
    with psycopg.connect(database_url(settings)) as airflow:
        row = airflow.execute("select from pg_tables where schemaname = 'public' limit 1").fetchone()
        return row is not None


def _run_migration(settings: Settings) -> None:
    log = airflow_home(settings) / "logs" / "migration.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(settings),
            check=False,
        )
    if done.returncode:
        raise CarehouseError(f"Airflow could not migrate its database; its last words are in {log}.")


def _migrated_file(settings: Settings) -> Path:
    return airflow_home(settings) / "migrated.json"


def _migrated(settings: Settings) -> object:
    try:
        return json.loads(_migrated_file(settings).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
