"""A build reads history table after table, for as long as it takes: what changes history waits, and is waited for.

Without it a delivery that lands in between would be in some tables of a publication and not in others.
"""

from typing import Any

import psycopg

from carehouse.progress import say

_LOCK = "hashtext('carehouse history')"


def change(loader: psycopg.Connection[Any]) -> None:
    """Let history be changed until the connection is closed, once no build reads it; ask before any other lock."""
    _take(loader, "lock_shared", "waiting: a build reads history, and all of it or nothing of this must be there")


def keep_still(builder: psycopg.Connection[Any]) -> None:
    """Let nobody change history until the connection is closed; wait for those who do now."""
    _take(builder, "lock", "waiting for a load that is under way")


def _take(connection: psycopg.Connection[Any], kind: str, why_waiting: str) -> None:
    if connection.execute(f"select pg_try_advisory_{kind}({_LOCK})").fetchone() != (True,):
        say(why_waiting)
        connection.execute(f"select pg_advisory_{kind}({_LOCK})")
