"""Pruning drops what nobody can see any more, in nobody's way, and goes on where it was interrupted."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from carehouse import pruning
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.pruning import prune
from carehouse.publication import publications, publish, rollback
from carehouse.settings import Settings
from tests import publisher
from tests.conftest import Warehouse

ALL_MARTS = ", ".join(f"(select array[min(value), max(value), count(*)] from mart.{mart})" for mart in publisher.MARTS)


def published(warehouse: Warehouse) -> int:
    """Publish small marts; give their publication."""
    return publish(warehouse.settings, publisher.build(warehouse.settings))


def is_whole(reader: psycopg.Connection[Any], publication_id: int) -> bool:
    """Say whether a reader finds that publication in every mart, all of it."""
    row = reader.execute(f"select {ALL_MARTS}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return all(mart == [publication_id, publication_id, publisher.rows_of(publication_id)] for mart in row)


def check_all_that_is_listed_is_whole(warehouse: Warehouse) -> None:
    """Read every publication that can be pinned, with no patience for locks."""
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        reader.execute("set lock_timeout = '100ms'")
        listed = reader.execute("select publication_id from mart.publication").fetchall()
        assert listed
        for (publication_id,) in listed:
            reader.execute(f"set carehouse.publication = '{publication_id}'")  # type: ignore[arg-type]
            assert is_whole(reader, publication_id)


def homes(warehouse: Warehouse) -> list[int]:
    """Give the publications that have tables."""
    rows = warehouse.rows(
        "select substr(nspname, 13)::int from pg_namespace where nspname like 'publication_%' order by 1"
    )
    return [row[0] for row in rows]


@contextmanager
def prune_at_work(warehouse: Warehouse, answers: list[list[int]]) -> Iterator[None]:
    """Prune meanwhile, in a thread that waits for readers; what it dropped is appended when it ends."""
    pruner = threading.Thread(target=lambda: answers.append(prune(warehouse.settings, keep=1)))
    pruner.start()
    try:
        time.sleep(0.5)
        assert pruner.is_alive()
        yield
    finally:
        pruner.join(30)


def test_pruning_keeps_the_current_and_the_last(warehouse: Warehouse) -> None:
    made = [published(warehouse) for _ in range(4)]
    rollback(warehouse.settings, made[1])
    assert prune(warehouse.settings, keep=1) == [made[0], made[2]]
    assert [each.publication_id for each in publications(warehouse.settings)] == [made[3], made[1]]
    assert homes(warehouse) == [made[1], made[3]]
    check_all_that_is_listed_is_whole(warehouse)
    assert prune(warehouse.settings, keep=1) == []
    with pytest.raises(CarehouseError, match="At least one"):
        prune(warehouse.settings, keep=0)


def test_pruning_passes_over_what_is_being_read_or_about_to_be_shown(warehouse: Warehouse) -> None:
    read, unread, last = (published(warehouse) for _ in range(3))
    attached = publisher.build(warehouse.settings)
    with connect(warehouse.settings, Role.PUBLISHER, autocommit=True) as killed:
        killed.execute("select store.attach(%s)", [attached])
    with connect(warehouse.settings, Role.READER) as reader:
        reader.execute(f"set carehouse.publication = '{read}'")  # type: ignore[arg-type]
        assert is_whole(reader, read)
        answers: list[list[int]] = []
        with prune_at_work(warehouse, answers):
            assert is_whole(reader, read)
            reader.commit()
        assert answers == [[unread]]
        assert is_whole(reader, read)
        reader.commit()
        assert prune(warehouse.settings, keep=1) == [read]
        with pytest.raises(psycopg.DatabaseError, match=f"publication {read} is not kept"):
            is_whole(reader, read)
    assert homes(warehouse) == [last, attached]
    assert publish(warehouse.settings, attached) == attached


def test_nobody_waits_for_a_prune_that_waits_for_readers(warehouse: Warehouse) -> None:
    old, current = published(warehouse), published(warehouse)
    with (
        connect(warehouse.settings, Role.READER) as holds_marts,
        connect(warehouse.settings, Role.READER) as sees_the_past,
    ):
        assert is_whole(holds_marts, current)
        sees_the_past.isolation_level = IsolationLevel.REPEATABLE_READ
        sees_the_past.execute("set lock_timeout = '100ms'")
        sees_the_past.commit()
        kept = sees_the_past.execute("select publication_id from mart.publication order by 1").fetchall()
        assert kept == [(old,), (current,)]
        answers: list[list[int]] = []
        with prune_at_work(warehouse, answers):
            began = time.monotonic()
            shown_meanwhile = published(warehouse)
            assert time.monotonic() - began < 10
            check_all_that_is_listed_is_whole(warehouse)
            # What its snapshot says is kept, it finds.
            sees_the_past.execute(f"set carehouse.publication = '{old}'")  # type: ignore[arg-type]
            assert is_whole(sees_the_past, old)
            # Having waited for whoever might choose it, the prune hides it, and waits for whoever might ask for it.
            holds_marts.commit()
            sees_the_past.commit()
        assert answers == [[old]]
    assert homes(warehouse) == [current, shown_meanwhile]


def test_a_reader_older_than_the_hiding_of_a_partition_is_not_in_a_queue_for_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At REPEATABLE READ a mart opened late is planned with partitions that are being detached."""
    old, current = published(warehouse), published(warehouse)
    hidden = threading.Event()
    hide = pruning._Pruning._hide
    with connect(warehouse.settings, Role.READER) as reader:

        def begin_then_hide(self: Any, mart_name: str, home: str) -> None:
            if not reader.info.transaction_status:
                reader.isolation_level = IsolationLevel.REPEATABLE_READ
                reader.execute("set local lock_timeout = '100ms'")
                reader.execute("select count(*) from mart.publication")
            hide(self, mart_name, home)
            if mart_name == publisher.MARTS[-1]:
                hidden.set()

        monkeypatch.setattr(pruning._Pruning, "_hide", begin_then_hide)
        answers: list[list[int]] = []
        with prune_at_work(warehouse, answers):
            assert hidden.wait(10)
            assert warehouse.rows("select count(*) from pg_inherits where inhdetachpending") == [(3,)]
            with connect(warehouse.settings, Role.READER, autocommit=True) as other:
                assert is_whole(other, current)
            shown_meanwhile = published(warehouse)
            assert is_whole(reader, current)
            assert warehouse.rows(
                f"select count(*) > 0 from pg_locks where relation = 'publication_{old}.kpi_a'::regclass"
            ) == [(True,)]
            reader.commit()
        assert answers == [[old]]
    assert homes(warehouse) == [current, shown_meanwhile]


def test_pruning_does_not_wait_for_ever_and_says_for_whom_it_waited(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, current = published(warehouse), published(warehouse)
    monkeypatch.setattr(pruning, "LONGEST_WAIT_SECONDS", 0.2)
    with connect(warehouse.settings, Role.READER) as reader:
        assert is_whole(reader, current)
        assert prune(warehouse.settings, keep=1) == []
        process = reader.info.backend_pid
        assert f"still open is the transaction of process {process} of" in capsys.readouterr().err
        assert is_whole(reader, current)
    monkeypatch.undo()
    assert [each.publication_id for each in publications(warehouse.settings)] == [current]
    # Given up already, it is dropped next time even by one who would keep more.
    assert prune(warehouse.settings, keep=9) == [old]


def test_of_two_prunes_at_once_the_second_does_nothing(warehouse: Warehouse) -> None:
    old, current = published(warehouse), published(warehouse)
    with connect(warehouse.settings, Role.READER) as reader:
        assert is_whole(reader, current)
        answers: list[list[int]] = []
        with prune_at_work(warehouse, answers):
            assert prune(warehouse.settings, keep=1) == []
            reader.commit()
        assert answers == [[old]]


class Killed(BaseException):
    """Not an error that anything would handle."""


def dies_after(statements: int, monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse) -> list[int] | None:
    """Prune with a client that dies after so many statements; None if it did."""
    execute, said = psycopg.Connection.execute, itertools.count()

    def until_killed(self: psycopg.Connection[Any], *arguments: Any, **options: Any) -> Any:
        if next(said) >= statements:
            raise Killed
        return execute(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", until_killed)
        try:
            return prune(warehouse.settings, keep=1)
        except Killed:
            return None


@pytest.mark.any_server
def test_killed_anywhere_and_run_again_it_reaches_the_same_state(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = published(warehouse)
    for lives_for in itertools.count(1):
        current = published(warehouse)
        pruned = dies_after(lives_for, monkeypatch, warehouse)
        check_all_that_is_listed_is_whole(warehouse)
        if pruned is None:
            was_dropped = old not in homes(warehouse)
            assert prune(warehouse.settings, keep=1) == ([] if was_dropped else [old])
        assert homes(warehouse) == [current]
        assert warehouse.rows("select from pg_inherits where inhdetachpending") == []
        old = current
        if pruned is not None:
            break
    assert lives_for > 20


def test_a_detach_that_was_interrupted_halfway_hinders_nobody_and_is_finished(warehouse: Warehouse) -> None:
    old, current = published(warehouse), published(warehouse)
    with connect(warehouse.settings, Role.READER) as reader:
        assert is_whole(reader, current)
        with connect(warehouse.settings, Role.HOUSEKEEPER, autocommit=True) as interrupted:
            assert interrupted.execute("select store.give_up(%s)", [old]).fetchone() == (True,)
            interrupted.execute("set lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                interrupted.execute(
                    f"alter table store.kpi_b detach partition publication_{old}.kpi_b concurrently"  # type: ignore[arg-type]
                )
        assert warehouse.rows("select inhrelid::regclass::text from pg_inherits where inhdetachpending") == [
            (f"publication_{old}.kpi_b",)
        ]
        after = published(warehouse)
        rollback(warehouse.settings, current)
        assert is_whole(reader, current)
    check_all_that_is_listed_is_whole(warehouse)
    assert prune(warehouse.settings, keep=1) == [old]
    assert homes(warehouse) == [current, after]


def test_a_stream_of_new_readers_does_not_hold_a_prune_up(warehouse: Warehouse) -> None:
    """Transactions that overlap without end: only those that were there before are waited for."""
    old, _ = published(warehouse), published(warehouse)
    stop = threading.Event()

    def read(settings: Settings, delay: float) -> None:
        stop.wait(delay)
        while not stop.is_set():
            with connect(settings, Role.READER) as reader:
                reader.isolation_level = IsolationLevel.REPEATABLE_READ
                reader.execute(f"select {ALL_MARTS}")  # type: ignore[arg-type]
                stop.wait(2)

    readers = [threading.Thread(target=read, args=(warehouse.settings, number * 0.5)) for number in range(4)]
    for reader in readers:
        reader.start()
    time.sleep(2)
    try:
        assert prune(warehouse.settings, keep=1) == [old]
    finally:
        stop.set()
        for reader in readers:
            reader.join()
