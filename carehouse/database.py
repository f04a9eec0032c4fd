"""Connections: each step reaches the database over TCP, with a password, as its own role."""

from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg

from carehouse.errors import CarehouseError
from carehouse.settings import Settings


class Role(StrEnum):
    """Who is asking. What each may do is declared in `carehouse/sql/roles.sql`."""

    ADMIN = "admin"
    LOADER = "carehouse_loader"
    BUILDER = "carehouse_builder"
    GATE = "carehouse_gate"
    PUBLISHER = "carehouse_publisher"
    APPROVER = "carehouse_approver"
    HOUSEKEEPER = "carehouse_housekeeper"
    AUDITOR = "carehouse_auditor"
    READER = "carehouse_reader"
    OPEN_READER = "carehouse_open_reader"

    @property
    def secret_name(self) -> str:
        """The name of this role's password among the secrets."""
        return f"{self.removeprefix('carehouse_')}_password"


def url(settings: Settings, role: Role, *, driver: str | None = None, database: str | None = None) -> str:
    """Give the connection address of `role`, its password included.

    `driver` is a SQLAlchemy driver name such as `psycopg2`; `database` defaults to the warehouse.
    """
    scheme = f"postgresql+{driver}" if driver else "postgresql"
    if settings.database_url:
        given = urlsplit(settings.database_url)
        if not given.hostname:
            raise CarehouseError("CAREHOUSE_DATABASE_URL must look like postgresql://user:password@host:5432/database.")
        where = f"{given.hostname}:{given.port or 5432}"
        name = database or given.path.lstrip("/") or settings.database
        query = f"?{given.query}" if given.query else ""
        admin = given.netloc.rpartition("@")[0]
    else:
        where, name, query = f"127.0.0.1:{settings.port}", database or settings.database, ""
        admin = f"postgres:{quote(settings.secret(Role.ADMIN.secret_name), safe='')}"
    user = admin if role is Role.ADMIN else f"{role}:{quote(settings.secret(role.secret_name), safe='')}"
    return f"{scheme}://{user}@{where}/{name}{query}"


def connect(
    settings: Settings, role: Role, *, autocommit: bool = False, database: str | None = None
) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection as `role`.

    Raises:
        CarehouseError: the server cannot be reached or refuses the role; the message says what to do.
    """
    try:
        return psycopg.connect(
            url(settings, role, database=database),
            autocommit=autocommit,
            connect_timeout=10,
            application_name=f"carehouse {role}",
        )
    except psycopg.OperationalError as error:
        what_next = (
            "Check that the server named by CAREHOUSE_DATABASE_URL is up."
            if settings.database_url
            else "Start it with: carehouse db start"
        )
        reason = str(error).strip().splitlines()[0].rpartition(" failed: ")[2]
        raise CarehouseError(f"The database did not accept {role}: {reason}. {what_next}") from None
