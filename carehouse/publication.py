"""Publishing and rolling back: readers are shown one whole publication, and never wait for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from carehouse.asking import asked_by
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

# A statement chooses what to read within milliseconds of opening a mart. Whoever takes longer holds a mart open without
# reading it, and the pointer is not moved past him.
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Publication:
    """One publication that can still be read, and by whose word readers are shown it."""

    publication_id: int
    as_at_date: date
    published_at: datetime
    is_current: bool
    published_by: str
    published_for: str | None
    code_version: str
    gate_verdict: str
    released_by: str | None


def publish(settings: Settings, build_id: int | None = None) -> int:
    """Show readers a build that passed the gate; give its publication id.

    `build_id` is the latest build unless given. Repeating it changes nothing; a publication that was
    interrupted is completed.

    Raises:
        CarehouseError: the gate did not pass the build, a later build has begun, a published column would
            change, or somebody holds a mart open without reading it. Readers go on seeing what they saw.
    """
    with _publisher(settings) as publisher:
        build = build_id or _latest_build(publisher)
        with alone_with_partitions(publisher):
            _call(publisher, "select store.attach(%s)", build)
        _wait_for_undecided_readers(publisher)
        with alone_with_partitions(publisher):
            _call(publisher, "select store.point(%s, 'published', %s)", build, asked_by())
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
        with alone_with_partitions(publisher):
            _call(publisher, "select store.point(%s, 'rolled back', %s)", target, asked_by())
    say(f"readers now see publication {target}")
    return target


def publications(settings: Settings) -> list[Publication]:
    """Give every publication that can still be read, latest first."""
    with connect(settings, Role.READER, autocommit=True) as reader:
        rows = reader.execute(
            """
            select
                publication_id, as_at_date, published_at, is_current, published_by, published_for, code_version,
                gate_verdict, released_by
            from mart.publication
            order by publication_id desc
            """
        ).fetchall()
    return [Publication(*row) for row in rows]


@contextmanager
def alone_with_partitions(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Change partitions while nobody else does. Waiting happens outside transactions, which others wait for."""
    ours = "(hashtext('carehouse partitions'))"
    while connection.execute(f"select pg_try_advisory_lock{ours}").fetchone() != (True,):
        time.sleep(0.02)
    try:
        yield
    finally:
        connection.execute(f"select pg_advisory_unlock{ours}")


def _publisher(settings: Settings) -> psycopg.Connection[tuple[Any, ...]]:
    return connect(settings, Role.PUBLISHER, autocommit=True)


def _call(publisher: psycopg.Connection[Any], statement: str, *arguments: int | str) -> None:
    try:
        publisher.execute(statement, arguments)
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


def _wait_for_undecided_readers(publisher: psycopg.Connection[Any]) -> None:
    """Wait until no transaction can hold a plan made before the partitions were attached and choose after the pointer.

    Whoever opens a mart from now on knows the new partitions, and whoever has chosen keeps to his choice: only those
    between the two are waited for. See docs/decisions/0001.
    """

    def undecided() -> dict[str, str]:
        rows = publisher.execute("select reading, process_id, user_name, reading_since from store.undecided_readers()")
        return {
            reading: f"process {process} of {user or 'an unknown user'}{f' since {since:%H:%M:%S}' if since else ''}"
            for reading, process, user, since in rows
        }

    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    waited_for = undecided()
    while waited_for:
        if time.monotonic() > give_up_at:
            raise CarehouseError(
                f"Not published: a mart is held open without being read by {', '.join(waited_for.values())}. "
                "Ask them to end their transaction, then publish again: carehouse publish"
            )
        time.sleep(0.01)
        still = undecided()
        waited_for = {reading: who for reading, who in waited_for.items() if reading in still}
