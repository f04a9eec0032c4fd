"""Makes the database ready: itself, its roles, schemas and functions. Safe to repeat, and at any time."""

import hashlib
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from carehouse import embedded
from carehouse.database import Role, connect, url
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

OLDEST_SERVER = 150000
FILES = (
    "roles",
    "schemas",
    "public",
    "audit",
    "pseudonyms",
    "promises",
    "store",
    "councils",
    "mart",
    "mart_open",
    "trace",
    "retention",
    "mart_profile",
    "readers",
)
_FOLDER = Path(__file__).parent / "sql"


def prepare(settings: Settings) -> None:
    """Start the embedded server (unless another is given) and bring the database to this version.

    Raises:
        CarehouseError: the server is older than PostgreSQL 15, or its user may not do what is needed.
    """
    if not settings.database_url:
        embedded.start(settings)
    _create_database(settings)
    with connect(settings, Role.ADMIN) as admin:
        if admin.info.server_version < OLDEST_SERVER:
            raise CarehouseError("carehouse needs PostgreSQL 15 or later; the given server is older.")
        try:
            admin.execute("select pg_advisory_xact_lock(hashtext('carehouse bootstrap'))")
            if _apply_files(admin) and not settings.database_url:
                # The server is ours alone, and so are its other databases.
                admin.execute("revoke all on database postgres, template1 from public")
        except psycopg.errors.InsufficientPrivilege as error:
            raise CarehouseError(
                "The user of CAREHOUSE_DATABASE_URL must be a superuser or own the database and be able to "
                f"create roles: {error.diag.message_primary}."
            ) from None
    _set_passwords(settings)


def _create_database(settings: Settings) -> None:
    try:
        psycopg.connect(url(settings, Role.ADMIN), connect_timeout=10).close()
        return
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            # Whatever else is wrong is explained where every connection is made.
            connect(settings, Role.ADMIN).close()
    with connect(settings, Role.ADMIN, autocommit=True, database="postgres") as admin:
        name = url(settings, Role.ADMIN).rpartition("/")[2].partition("?")[0]
        say(f"creating the database {name}")
        try:
            admin.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return


def _apply_files(admin: psycopg.Connection[Any]) -> bool:
    """Apply the SQL files unless exactly these were applied last: replacing a view waits for its readers."""
    texts = [(_FOLDER / f"{name}.sql").read_text() for name in FILES]
    version = "carehouse " + hashlib.sha256("".join(texts).encode()).hexdigest()
    applied = admin.execute("select obj_description(to_regnamespace('audit'), 'pg_namespace')").fetchone()
    if applied == (version,):
        return False
    say("preparing roles, schemas and functions")
    for text in texts:
        admin.execute(text)
    admin.execute(sql.SQL("comment on schema audit is {}").format(sql.Literal(version)))
    return True


def _set_passwords(settings: Settings) -> None:
    """Give each login its password, sent hashed."""
    for role in Role:
        if role is Role.ADMIN:
            continue
        try:
            psycopg.connect(url(settings, role), connect_timeout=10).close()
        except psycopg.OperationalError:
            password = settings.secret(role.secret_name).encode()
            with connect(settings, Role.ADMIN) as admin:
                hashed = admin.pgconn.encrypt_password(password, role.encode(), b"scram-sha-256")
                admin.execute(
                    sql.SQL("alter role {} login password {}").format(
                        sql.Identifier(role), sql.Literal(hashed.decode())
                    )
                )
