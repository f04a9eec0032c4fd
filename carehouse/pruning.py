"""Pruning: old publications are dropped once nobody can see them any more; no reader and no publisher waits for it.

Which statement locks what, and why each step waits for what it waits for: docs/decisions/0001.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.publication import alone_with_partitions
from carehouse.settings import Settings

# Waiting harms nobody. Whoever is still there then is named, and the rest is done the next time.
LONGEST_WAIT_SECONDS = 600.0
SECONDS_BEFORE_SAYING_SO = 2.0
LONGEST_LOCK_WAIT = "20ms"


def prune(settings: Settings, keep: int) -> list[int]:
    """Drop all but the current and the last `keep` publications; give the ids dropped.

    What a transaction is reading is left for the next time, and so is what one may still see after ten minutes
    of waiting. Killed anywhere and run again, it goes on where it was. Two at once: the second does nothing.

    Raises:
        CarehouseError: not even one publication is to be kept.
    """
    if keep < 1:
        raise CarehouseError("At least one publication must be kept.")
    with (
        connect(settings, Role.HOUSEKEEPER, autocommit=True) as housekeeper,
        connect(settings, Role.HOUSEKEEPER, autocommit=True) as doorkeeper,
    ):
        # Tried, not waited for: whoever waits in a statement holds a snapshot, which the other prune would wait for.
        if housekeeper.execute("select pg_try_advisory_lock(hashtext('carehouse prune'))").fetchone() != (True,):
            say("another prune is at work")
            return []
        # What changes tables ends at once in the server, whatever is in its way, even if this process is killed.
        housekeeper.execute(sql.SQL("set lock_timeout = {}").format(LONGEST_LOCK_WAIT))
        return _Pruning(housekeeper, doorkeeper).of_all_but(keep)


class _Pruning:
    """One run: the housekeeper changes things, the doorkeeper watches who is still there."""

    def __init__(self, housekeeper: psycopg.Connection[Any], doorkeeper: psycopg.Connection[Any]):
        self._housekeeper, self._doorkeeper = housekeeper, doorkeeper
        self._give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS

    def of_all_but(self, keep: int) -> list[int]:
        given_up = [publication_id for publication_id in self._old(keep) if self._given_up(publication_id)]
        # Whoever began before may have read that they are kept, and may choose one of them yet.
        if not given_up or not self._outlasted(self._open_transactions(self._housekeeper), self._now_open):
            return []
        pruned = []
        for publication_id in given_up:
            # PostgreSQL takes one partition at a time from each table: those that follow wait for the first.
            if not self._taken_down(publication_id):
                break
            say(f"pruned publication {publication_id}")
            pruned.append(publication_id)
        return pruned

    def _old(self, keep: int) -> list[int]:
        """Give the publications to be dropped, those first whose dropping was interrupted."""
        rows = self._housekeeper.execute(
            """
            select publication_id from store.publication
            where
                to_regnamespace('publication_' || publication_id) is not null
                and (
                    pruned_at is not null
                    or (
                        publication_id <> (select publication_id from store.pointer)
                        and publication_id not in (
                            select publication_id from store.publication
                            where published_at is not null order by publication_id desc limit %s
                        )
                        and publication_id < (select max(publication_id) from store.publication)
                    )
                )
            order by pruned_at nulls last, publication_id
            """,
            [keep],
        )
        return [row[0] for row in rows]

    def _given_up(self, publication_id: int) -> bool:
        if self._doorkeeper.execute("select store.give_up(%s)", [publication_id]).fetchone() == (True,):
            return True
        say(f"publication {publication_id} is still being read, and is kept until the next time")
        return False

    def _taken_down(self, publication_id: int) -> bool:
        """Detach and drop its tables, all in one transaction, when nobody is left who could ask for them."""
        home = f"publication_{publication_id}"
        while time.monotonic() < self._give_up_at:
            with suppress(psycopg.errors.LockNotAvailable):
                for mart_name in self._partitions(home, are_hidden=False):
                    self._hide(mart_name, home)
                if not self._partitions(home, are_hidden=False):
                    return self._dropped(home)
            time.sleep(0.1)
        say(f"publication {publication_id} is left for the next time: something else is at work on its tables")
        return False

    def _partitions(self, home: str, *, are_hidden: bool) -> list[str]:
        rows = self._housekeeper.execute(
            """
            select part.relname
            from pg_inherits as inherits
            inner join pg_class as part on inherits.inhrelid = part.oid
            where part.relnamespace = to_regnamespace(%s) and part.relkind = 'r' and inherits.inhdetachpending = %s
            order by part.relname
            """,
            [home, are_hidden],
        )
        return [row[0] for row in rows]

    def _hide(self, mart_name: str, home: str) -> None:
        """Do the first half of a concurrent detach: who begins from now on does not see the partition.

        The second half would wait for readers, with locks that others then wait for. The doorkeeper holds the table
        open as a reader would, so the server gives the second half up.
        """
        mart = sql.Identifier("store", mart_name)
        with alone_with_partitions(self._doorkeeper), self._doorkeeper.transaction():
            self._doorkeeper.execute(sql.SQL("lock table only {} in access share mode").format(mart))
            with suppress(psycopg.errors.LockNotAvailable):
                self._housekeeper.execute(
                    sql.SQL("alter table {} detach partition {} concurrently").format(
                        mart, sql.Identifier(home, mart_name)
                    )
                )

    def _dropped(self, home: str) -> bool:
        with self._housekeeper.transaction():
            # The server, too, waits for whoever has as old a snapshot as this transaction, whose age therefore stays.
            self._housekeeper.execute("set transaction isolation level repeatable read")
            older = self._open_transactions(self._housekeeper)
            # Snapshots taken from now on are younger.
            self._doorkeeper.execute("select pg_current_xact_id()")
            hidden = self._partitions(home, are_hidden=True)
            if not self._outlasted(older, self._now_open):
                return False
            self._remind_sessions_of(hidden)
            if not self._outlasted(self._still_reading(home), partial(self._still_reading, home)):
                return False
            with alone_with_partitions(self._doorkeeper):
                for mart_name in hidden:
                    self._housekeeper.execute(
                        sql.SQL("alter table {} detach partition {} finalize").format(
                            sql.Identifier("store", mart_name), sql.Identifier(home, mart_name)
                        )
                    )
                self._housekeeper.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(home)))
        return True

    def _remind_sessions_of(self, marts: list[str]) -> None:
        """Make sessions read the list of partitions again: who read it just as it changed may have kept the longer."""
        with alone_with_partitions(self._doorkeeper):
            for mart_name in marts:
                self._doorkeeper.execute(
                    sql.SQL("alter table only {} alter column publication_id set statistics -1").format(
                        sql.Identifier("store", mart_name)
                    )
                )

    def _open_transactions(self, asking: psycopg.Connection[Any]) -> dict[str, str]:
        """Give every open transaction in the warehouse but our own, and whose it is."""
        return self._transactions(asking, "taken.locktype = 'virtualxid' and taken.mode = 'ExclusiveLock'", "")

    def _now_open(self) -> dict[str, str]:
        return self._open_transactions(self._doorkeeper)

    def _still_reading(self, home: str) -> dict[str, str]:
        """Give every transaction that has a table of that publication open, and whose it is."""
        there = """
            taken.database = (select oid from pg_database where datname = current_database())
            and taken.relation in (select oid from pg_class where relnamespace = to_regnamespace(%(home)s))
        """
        return self._transactions(self._doorkeeper, there, home)

    def _transactions(self, asking: psycopg.Connection[Any], which: str, home: str) -> dict[str, str]:
        rows = asking.execute(
            f"""
            select distinct taken.virtualtransaction, taken.pid, session.usename
            from pg_locks as taken
            inner join pg_stat_activity as session on taken.pid = session.pid
            where {which}
                and session.datname = current_database() and session.usename is not null
                and taken.pid <> all(%(ours)s)
            """,
            {"home": home, "ours": [self._housekeeper.info.backend_pid, self._doorkeeper.info.backend_pid]},
        )
        return {transaction: f"process {process} of {user}" for transaction, process, user in rows}

    def _outlasted(self, waited_for: dict[str, str], now: Callable[[], dict[str, str]]) -> bool:
        """Wait until these transactions have ended; False if one is still open when patience ends."""
        say_so_at = time.monotonic() + SECONDS_BEFORE_SAYING_SO
        while waited_for:
            if time.monotonic() > self._give_up_at:
                say(f"the rest is left for the next time: still open is the transaction of {_named(waited_for)}")
                return False
            if time.monotonic() > say_so_at:
                say(f"waiting for the end of the transaction of {_named(waited_for)}")
                say_so_at = self._give_up_at
            time.sleep(0.02)
            still = now()
            waited_for = {transaction: who for transaction, who in waited_for.items() if transaction in still}
        return True


def _named(waited_for: dict[str, str]) -> str:
    return ", ".join(sorted(waited_for.values()))
