"""Publishing, rolling back and pruning: readers are shown one whole publication, and never wait for it."""

import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

# From its plan to its snapshot a statement needs milliseconds; a reader who merely keeps a transaction open
# is not waited for longer than this.
LONGEST_WAIT_SECONDS = 3.0


@dataclass(frozen=True)
class Publication:
    """One publication that can still be read."""

    publication_id: int
    as_at_date: date
    published_at: datetime
    is_current: bool


def publish(settings: Settings, build_id: int | None = None) -> int:
    """Show readers a build that passed the gate; give its publication id.

    `build_id` is the latest build unless given. Repeating it changes nothing; a publication that was
    interrupted is completed.

    Raises:
        CarehouseError: the gate did not pass the build, a later build has begun, or a published column
            would change. Readers go on seeing what they saw.
    """
    with _publisher(settings) as publisher:
        build = build_id or _latest_build(publisher)
        _call(publisher, "select store.attach(%s)", build)
        _let_running_statements_finish_planning(publisher)
        _call(publisher, "select store.point(%s, 'published')", build)
    say(f"published {build}")
    return build


def rollback(settings: Settings, publication_id: int | None = None) -> int:
    """Show readers an earlier publication, at once; give its id.

    `publication_id` is the one that was shown before the current one unless given.

    Raises:
        CarehouseError: it is no longer kept, or there is no earlier one.
    """
    with _publisher(settings) as publisher:
        target = publication_id or _shown_before(publisher)
        _call(publisher, "select store.point(%s, 'rolled back')", target)
    say(f"readers now see publication {target}")
    return target


def publications(settings: Settings) -> list[Publication]:
    """Give every publication that can still be read, latest first."""
    with _publisher(settings) as publisher:
        rows = publisher.execute(
            """
            select publication_id, as_at_date, published_at, publication_id = (select publication_id from store.pointer)
            from store.publication
            where published_at is not null and pruned_at is null
            order by publication_id desc
            """
        ).fetchall()
    return [Publication(*row) for row in rows]


def prune(settings: Settings, keep: int) -> list[int]:
    """Drop all but the current and the last `keep` publications; give the ids dropped.

    Detaching waits for readers of an old publication instead of blocking them.
    """
    if keep < 1:
        raise CarehouseError("At least one publication must be kept.")
    with connect(settings, Role.HOUSEKEEPER, autocommit=True) as housekeeper:
        housekeeper.execute("select pg_advisory_lock(hashtext('carehouse prune'))")
        old = [
            row[0]
            for row in housekeeper.execute(
                """
                select publication_id from store.publication
                where
                    publication_id <> (select publication_id from store.pointer)
                    and publication_id not in (
                        select publication_id from store.publication
                        where published_at is not null order by publication_id desc limit %s
                    )
                    and publication_id < (select max(publication_id) from store.publication)
                    and to_regnamespace('publication_' || publication_id) is not null
                order by publication_id
                """,
                [keep],
            )
        ]
        for publication_id in old:
            _prune_one(housekeeper, publication_id)
    return old


def _prune_one(housekeeper: psycopg.Connection[Any], publication_id: int) -> None:
    housekeeper.execute(
        "update store.publication set pruned_at = clock_timestamp() where publication_id = %s and pruned_at is null",
        [publication_id],
    )
    home = f"publication_{publication_id}"
    attached = housekeeper.execute(
        """
        select part.relname, inherits.inhdetachpending
        from pg_inherits as inherits
        inner join pg_class as part on inherits.inhrelid = part.oid
        where part.relnamespace = to_regnamespace(%s)
        """,
        [home],
    ).fetchall()
    for mart_name, was_interrupted in attached:
        housekeeper.execute(
            sql.SQL("alter table store.{0} detach partition {1}.{0} {2}").format(
                sql.Identifier(mart_name),
                sql.Identifier(home),
                sql.SQL("finalize" if was_interrupted else "concurrently"),
            )
        )
    housekeeper.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(home)))
    say(f"pruned publication {publication_id}")


def _publisher(settings: Settings) -> psycopg.Connection[tuple[Any, ...]]:
    return connect(settings, Role.PUBLISHER, autocommit=True)


def _call(publisher: psycopg.Connection[Any], statement: str, identifier: int) -> None:
    try:
        publisher.execute(statement, [identifier])
    except psycopg.errors.DatabaseError as error:
        if error.sqlstate == "CH001":
            raise CarehouseError(f"Not published: {error.diag.message_primary}.") from None
        raise


def _latest_build(publisher: psycopg.Connection[Any]) -> int:
    row = publisher.execute("select max(build_id) from audit.build").fetchone()
    if row is None or row[0] is None:
        raise CarehouseError("Nothing has been built yet. Build first: carehouse build")
    return int(row[0])


def _shown_before(publisher: psycopg.Connection[Any]) -> int:
    row = publisher.execute(
        """
        select max(publication_id) from store.publication
        where
            published_at is not null and pruned_at is null
            and publication_id < (select publication_id from store.pointer)
        """
    ).fetchone()
    if row is None or row[0] is None:
        raise CarehouseError("There is no earlier publication to go back to. See: carehouse publications")
    return int(row[0])


def _let_running_statements_finish_planning(publisher: psycopg.Connection[Any]) -> None:
    """Wait until no transaction holds a plan made before the new partitions were attached.

    Such a plan holds a lock on the store's tables until its transaction ends.
    """
    readers = """
        select distinct held.virtualtransaction
        from pg_locks as held
        inner join pg_class as locked on held.relation = locked.oid
        where
            held.database = (select oid from pg_database where datname = current_database())
            and locked.relnamespace = 'store'::regnamespace and locked.relkind = 'p'
            and held.pid <> pg_backend_pid()
    """
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    still_reading = {row[0] for row in publisher.execute(readers)}
    while still_reading and time.monotonic() < give_up_at:
        time.sleep(0.02)
        still_reading &= {row[0] for row in publisher.execute(readers)}
