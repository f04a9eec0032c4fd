"""Logins of readers, as a person or a gateway has them; roles belong to the whole server, so each has a name of its own."""

import itertools
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg

from carehouse import readers
from carehouse.database import Role, url
from tests.conftest import Warehouse

_numbers = itertools.count(1)
_passwords: dict[str, str] = {}


def fresh_name() -> str:
    """Give a name that no other test has."""
    return f"reader_{os.getpid()}_{next(_numbers)}"


@contextmanager
def login(warehouse: Warehouse, councils: Collection[str], *, is_open: bool = False) -> Iterator[str]:
    """Add a reader of these councils; remove it afterwards."""
    name = fresh_name()
    known = {*councils, "for_now"}
    password = readers.add(
        warehouse.settings, name, councils or ["for_now"], known, "a test", is_open=is_open, connections=2
    )
    if not councils:
        readers.revoke(warehouse.settings, name, ["for_now"], "a test")
    _passwords[name] = password or ""
    try:
        yield name
    finally:
        readers.remove(warehouse.settings, name, "a test")


def signed_in(warehouse: Warehouse, name: str, password: str | None = None) -> psycopg.Connection[Any]:
    """Open a session of that login, each statement its own transaction."""
    where = urlsplit(url(warehouse.settings, Role.READER))
    return psycopg.connect(
        host=where.hostname,
        port=where.port,
        dbname=where.path.lstrip("/"),
        user=name,
        password=password or _passwords[name],
        autocommit=True,
    )
