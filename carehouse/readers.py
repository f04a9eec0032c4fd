"""Who may read: one login for each person or gateway, in one group of readers and in the groups of its councils.

A login's rights are PostgreSQL's own memberships, so a database administrator sees and changes them with `\\du`,
`grant` and `revoke`. What is done here is written to `audit.reader_change`, where rows are only ever added.
"""

import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings

READS_ALL_FIGURES = "mart_reader"
READS_OPEN_FIGURES = "mart_open_reader"
EVERY_COUNCIL = "all"
COUNCIL_PREFIX = "council_"
# Power BI and Tableau open several connections for one refresh.
MOST_CONNECTIONS = 10
NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")
PREFIXES_TAKEN = ("carehouse", "council_", "mart_", "pg_")
NAMES_TAKEN = ("public", "none", "user", "current_user", "session_user")


@dataclass(frozen=True)
class Reader:
    """One login that may read: the marts, or only the open ones; of which councils."""

    name: str
    reads: str
    councils: str
    connections: int


def add(
    settings: Settings,
    name: str,
    councils: Collection[str],
    known_councils: Collection[str],
    by: str,
    *,
    is_open: bool = False,
    connections: int | None = None,
) -> str | None:
    """Let somebody read the figures of councils; give the password of a new login, which is kept nowhere.

    A reader who is there already is granted the councils and keeps the others and the password; None is given then.
    `connections` is how many a new one may open at once, 10 unless given.

    Raises:
        CarehouseError: the name is not fit for a login or is somebody else's; no council is named or one is not
            known; the reader is there with the other kind of marts.
    """
    _refuse_name(name)
    _refuse_unknown(councils, known_councils)
    group = READS_OPEN_FIGURES if is_open else READS_ALL_FIGURES
    with _deciding(settings) as admin:
        reads = _reads(admin, name)
        if reads not in (None, group):
            raise CarehouseError(
                f"{name} is a member of {reads} already. Whoever shall read otherwise needs another login, or remove "
                f"this one first: carehouse reader remove {name}"
            )
        password = None
        if reads is None:
            password = secrets.token_urlsafe(24)
            admin.execute(
                sql.SQL(
                    "create role {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit "
                    "connection limit {} password {}"
                ).format(
                    sql.Identifier(name), sql.Literal(connections or MOST_CONNECTIONS), _verifier(admin, name, password)
                )
            )
            admin.execute(sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(name)))
            admin.execute("select store.limit_reader(%s)", [name])
            _note(admin, name, "added", by, group)
        for council in sorted(set(councils) - set(_councils(admin, name))):
            _make_council(admin, council)
            admin.execute(sql.SQL("grant {} to {}").format(_group_of(council), sql.Identifier(name)))
            _note(admin, name, "granted", by, COUNCIL_PREFIX + council)
        return password


def revoke(settings: Settings, name: str, councils: Collection[str], by: str) -> None:
    """Take councils from a reader, from the next statement on. One without a council sees nothing of any.

    Raises:
        CarehouseError: there is no such reader, or it was not granted one of the councils.
    """
    with _deciding(settings) as admin:
        _refuse_unless_reader(admin, name)
        held = _councils(admin, name)
        lacking = sorted(set(councils) - set(held))
        if lacking:
            raise CarehouseError(
                f"{name} was not granted {', '.join(lacking)}, but {', '.join(held) or 'no council'}; nothing changed."
            )
        for council in sorted(set(councils)):
            admin.execute(sql.SQL("revoke {} from {}").format(_group_of(council), sql.Identifier(name)))
            _note(admin, name, "revoked", by, COUNCIL_PREFIX + council)


def change_password(settings: Settings, name: str, by: str) -> str:
    """Give a reader a new password, which is kept nowhere; the old one no longer lets in.

    Raises:
        CarehouseError: there is no such reader.
    """
    with _deciding(settings) as admin:
        _refuse_unless_reader(admin, name)
        password = secrets.token_urlsafe(24)
        admin.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(name), _verifier(admin, name, password))
        )
        _note(admin, name, "password_changed", by)
        return password


def remove(settings: Settings, name: str, by: str) -> None:
    """Take a reader's login away and end its sessions. Does nothing when it is gone already.

    Raises:
        CarehouseError: the login is not a reader's, or was given rights or objects outside carehouse.
    """
    with _deciding(settings) as admin:
        if admin.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
            return
        _refuse_unless_reader(admin, name)
        admin.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(name)))
        try:
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [name])
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
        except psycopg.errors.DependentObjectsStillExist:
            raise CarehouseError(
                f"{name} was not removed: it was given rights or objects outside carehouse. Take those away first: "
                f"drop owned by {name}, in each database of the server."
            ) from None
        _note(admin, name, "removed", by)


def readers(settings: Settings) -> list[Reader]:
    """Give every login that may read, by name; the installation's own among them, as PostgreSQL has them now."""
    with connect(settings, Role.ADMIN) as admin:
        rows = admin.execute(
            """
            select
                login.rolname,
                string_agg(held.rolname, ', ' order by held.rolname) filter (where held.rolname = any(%(groups)s)),
                coalesce(
                    string_agg(substr(held.rolname, length(%(prefix)s) + 1), ', ' order by held.rolname)
                    filter (where starts_with(held.rolname, %(prefix)s)),
                    ''
                ),
                login.rolconnlimit
            from pg_roles as login
            inner join pg_auth_members as membership on login.oid = membership.member
            inner join pg_roles as held on membership.roleid = held.oid
            where login.rolcanlogin
            group by login.oid, login.rolname, login.rolconnlimit
            having bool_or(held.rolname = any(%(groups)s))
            order by login.rolname
            """,
            {"groups": [READS_ALL_FIGURES, READS_OPEN_FIGURES], "prefix": COUNCIL_PREFIX},
        ).fetchall()
    return [Reader(*row) for row in rows]


@contextmanager
def _deciding(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """One change at a time, whole or not at all, with its line in the ledger."""
    with connect(settings, Role.ADMIN) as admin:
        try:
            admin.execute("select pg_advisory_xact_lock(hashtext('carehouse readers'))")
            yield admin
        except psycopg.errors.InsufficientPrivilege as error:
            raise CarehouseError(
                "Only the administrator decides who may read: the user of CAREHOUSE_DATABASE_URL must be a superuser "
                f"or have made carehouse's roles: {error.diag.message_primary}."
            ) from None


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name) or name.startswith(PREFIXES_TAKEN) or name in NAMES_TAKEN:
        raise CarehouseError(
            "A reader's name is made of small letters, digits and _, begins with a letter, has 2 to 63 characters, "
            f"does not begin with {', '.join(PREFIXES_TAKEN)}, and means nothing to PostgreSQL; such as jane_doe."
        )


def _refuse_unknown(councils: Collection[str], known_councils: Collection[str]) -> None:
    if not councils:
        raise CarehouseError("Name at least one council, with --council: a reader without one sees nothing.")
    unknown = sorted(set(councils) - set(known_councils) - {EVERY_COUNCIL})
    if unknown:
        raise CarehouseError(
            f"There is no council {', '.join(unknown)}; there are: {', '.join(sorted(known_councils))}, and "
            f"{EVERY_COUNCIL} for every one, also those to come."
        )


def _refuse_unless_reader(admin: psycopg.Connection[Any], name: str) -> None:
    if name in list(Role) or _reads(admin, name) is None:
        raise CarehouseError(f"There is no reader {name}. See: carehouse reader list")


def _reads(admin: psycopg.Connection[Any], name: str) -> str | None:
    """Say which group of readers a login is in; None if there is no such login.

    Raises:
        CarehouseError: there is one, but it is no reader's.
    """
    if admin.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
        return None
    row = admin.execute(
        "select held.rolname from pg_auth_members as membership "
        "inner join pg_roles as held on membership.roleid = held.oid "
        "inner join pg_roles as login on membership.member = login.oid "
        "where login.rolname = %s and login.rolcanlogin and held.rolname = any(%s)",
        [name, [READS_ALL_FIGURES, READS_OPEN_FIGURES]],
    ).fetchone()
    if row is None:
        raise CarehouseError(f"The server has a role {name} which is no reader of carehouse's; choose another name.")
    return str(row[0])


def _councils(admin: psycopg.Connection[Any], name: str) -> list[str]:
    rows = admin.execute(
        "select substr(held.rolname, length(%s) + 1) from pg_auth_members as membership "
        "inner join pg_roles as held on membership.roleid = held.oid "
        "inner join pg_roles as login on membership.member = login.oid "
        "where login.rolname = %s and starts_with(held.rolname, %s) order by 1",
        [COUNCIL_PREFIX, name, COUNCIL_PREFIX],
    )
    return [str(row[0]) for row in rows]


def _make_council(admin: psycopg.Connection[Any], council: str) -> None:
    group = COUNCIL_PREFIX + council
    if admin.execute("select from pg_roles where rolname = %s", [group]).fetchone() is None:
        admin.execute(sql.SQL("create role {} nologin").format(sql.Identifier(group)))


def _group_of(council: str) -> sql.Identifier:
    return sql.Identifier(COUNCIL_PREFIX + council)


def _verifier(admin: psycopg.Connection[Any], name: str, password: str) -> sql.Literal:
    """Give what the server keeps in place of a password, so that no log of statements can hold one."""
    return sql.Literal(admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode())


def _note(admin: psycopg.Connection[Any], name: str, change: str, by: str, group: str | None = None) -> None:
    admin.execute(
        "insert into audit.reader_change (reader_name, change_code, group_name, decided_by) values (%s, %s, %s, %s)",
        [name, change, group, by],
    )
