"""Every answer of every reader, while publications come, go and are pruned by processes that are killed, checked afterwards.

What a reader waits for is measured by the server, not by a clock beside a machine that may be busy: who waits longer
than 100 ms for a lock gets an error, and whoever is seen to wait for one is written down, with who was in the way.
"""

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from psycopg import IsolationLevel

from carehouse import publication
from carehouse.database import Role, connect
from carehouse.pruning import prune
from tests import pruner, publisher
from tests.conftest import Warehouse

MOVES, PRUNED = 200, 30
AT_MOST_SECONDS = 300
BLOCKED_AT_MOST = "100ms"
READERS = f"carehouse {Role.READER}"
LEVELS = (IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE)

# One row: the publication that the session reads, and for each mart the least and greatest id in it, and its rows.
READ = "(select publication_id from mart.publication where is_current)"
ACROSS = f"select {READ}, " + ", ".join(
    f"(select array[min(publication_id), max(publication_id), min(value), max(value), count(*)] from mart.{mart})"
    for mart in publisher.MARTS
)
JOINED = f"""
    select {READ}, array[
        least(min(a.publication_id), min(b.publication_id)), greatest(max(a.publication_id), max(b.publication_id)),
        least(min(a.value), min(b.value)), greatest(max(a.value), max(b.value)), count(*)
    ]
    from mart.kpi_a as a
    full join mart.kpi_b as b on a.publication_id = b.publication_id
"""


# Who is in the way is asked after who waits: a wait that has ended meanwhile has nobody in its way, and is left out.
WAITING = """
    select session.application_name, clock_timestamp() - waiting.waitstart,
        concat_ws(' ', waiting.mode, waiting.locktype, waiting.relation::regclass), in_the_way.queries
    from pg_locks as waiting
    inner join pg_stat_activity as session on waiting.pid = session.pid
    cross join lateral (
        select string_agg(blocker.query, '; ') as queries from pg_stat_activity as blocker
        where blocker.pid = any(pg_blocking_pids(waiting.pid))
    ) as in_the_way
    where not waiting.granted and waiting.waitstart is not null and session.datname = current_database()
        and in_the_way.queries is not null
"""


@dataclass(frozen=True)
class Answer:
    """What one statement was answered: the publication it should be of, and what each mart, or a join of two, held."""

    transaction: int
    publication_id: int
    marts: tuple[tuple[int, ...], ...]
    is_join: bool

    @property
    def is_whole(self) -> bool:
        """Say whether each mart holds that publication, all of it and nothing else."""
        rows = publisher.rows_of(self.publication_id)
        whole = (*([self.publication_id] * 4), rows * rows if self.is_join else rows)
        return all(mart == whole for mart in self.marts)


class Reader(threading.Thread):
    """Asks until told to stop, and writes down every answer and every error."""

    def __init__(self, warehouse: Warehouse, level: IsolationLevel, statements: int, pins: bool, stop: threading.Event):
        """Ask `statements` times in each transaction; `pins` reads a kept publication by its number instead."""
        super().__init__(name=f"{level.name} {statements} {'pinned' if pins else ''}")
        self._warehouse, self._level, self._statements, self._pins, self._stop_asking = (
            warehouse,
            level,
            statements,
            pins,
            stop,
        )
        self.answers: list[Answer] = []
        self.errors: list[str] = []
        self._transactions = itertools.count()
        self._sessions = itertools.count()
        self._chance = random.Random(statements)  # noqa: S311

    def run(self) -> None:
        """Ask, transaction after transaction, on connections of differing ages."""
        while not self._stop_asking.is_set():
            with connect(self._warehouse.settings, Role.READER) as session:
                session.isolation_level = self._level
                # Statements prepared on the server keep their plans: with and without.
                session.prepare_threshold = 0 if next(self._sessions) % 2 else None
                session.execute(f"set lock_timeout = '{BLOCKED_AT_MOST}'")
                session.commit()
                for _ in range(20):
                    if self._stop_asking.is_set():
                        break
                    self._ask(session)
                    time.sleep(0.05)

    def _ask(self, session: psycopg.Connection[tuple[object, ...]]) -> None:
        transaction, pinned = next(self._transactions), 0
        try:
            with session.transaction():
                if self._pins:
                    kept = session.execute("select publication_id from mart.publication order by 1 desc limit 3")
                    pinned = self._chance.choice(kept.fetchall())[0]  # type: ignore[assignment]
                    session.execute(f"set local carehouse.publication = '{pinned}'")
                for number in range(self._statements):
                    is_join = number % 2 == 1
                    asked = session.execute(JOINED if is_join else ACROSS).fetchone()
                    assert asked is not None
                    marts = tuple(tuple(int(value) for value in mart) for mart in asked[1:])  # type: ignore[attr-defined]
                    self.answers.append(Answer(transaction, int(asked[0]), marts, is_join))  # type: ignore[call-overload]
                    assert not pinned or asked[0] == pinned
                    if self._statements > 1:
                        time.sleep(0.03)
        except psycopg.Error as error:
            self.errors.append(f"{error.sqlstate} {type(error).__name__}")
        except (AssertionError, TypeError) as error:
            self.errors.append(f"{error!r}")


class Watcher(threading.Thread):
    """Looks, as often as the machine allows, who waits for a lock, and writes down how long at most and for whom."""

    def __init__(self, warehouse: Warehouse, stop: threading.Event):
        """Look until told to stop."""
        super().__init__(name="watcher")
        self._warehouse, self._stop_looking = warehouse, stop
        self.looks = 0
        self.longest: dict[str, tuple[timedelta, str]] = {}

    def run(self) -> None:
        """Look."""
        with self._warehouse.admin() as admin:
            while not self._stop_looking.wait(0.02):
                self.looks += 1
                for who, waited, wanted, in_the_way in admin.execute(WAITING):
                    if waited > self.longest.get(who, (timedelta(0), ""))[0]:
                        self.longest[who] = waited, f"{wanted}, held by {in_the_way}"


@contextmanager
def mortal(warehouse: Warehouse, kills: list[str]) -> Iterator[None]:
    """Keep two publishers and a pruner at work, each killed at random and replaced."""
    stop = threading.Event()

    def keep(module: str, number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        for life in itertools.count():
            process = subprocess.Popen(
                [sys.executable, "-m", module, str(1000 * number + life)],
                env=warehouse.environment,
                stderr=subprocess.DEVNULL,
            )
            stop.wait(chance.uniform(3, 8))
            died_before = process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills.append(f"{module} died of itself" if died_before else module)
            if stop.is_set():
                return

    work = (("tests.publisher", 1), ("tests.publisher", 2), ("tests.pruner", 3))
    keepers = [threading.Thread(target=keep, args=each) for each in work]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        stop.set()
        for keeper in keepers:
            keeper.join()


def moves(warehouse: Warehouse) -> list[int]:
    """Give what readers were shown, in order."""
    return [row[0] for row in warehouse.rows("select to_publication_id from store.pointer_move order by moved_at")]


def pruned(warehouse: Warehouse) -> int:
    """Count the publications whose tables are gone."""
    query = "select from store.publication where to_regnamespace('publication_' || publication_id) is null"
    return len(warehouse.rows(query))


def follows(seen: Sequence[int], shown: Sequence[int]) -> bool:
    """Say whether answers came in the order in which readers were shown publications, none from before an earlier."""
    later = iter(shown)
    current = next(later)
    for publication_id in seen:
        while current != publication_id:
            try:
                current = next(later)
            except StopIteration:
                return False
    return True


def test_a_reader_who_goes_back_or_sees_what_was_not_shown_is_noticed() -> None:
    assert follows([1, 1, 2, 1], [1, 2, 1])
    assert not follows([2, 1], [1, 2])
    assert not follows([3], [1, 2])


def test_an_answer_that_is_torn_or_not_whole_is_noticed() -> None:
    rows = publisher.rows_of(2)
    whole = (2, 2, 2, 2, rows)
    assert Answer(0, 2, (whole, whole), is_join=False).is_whole
    assert not Answer(0, 2, (whole, (1, 2, 2, 2, rows)), is_join=False).is_whole
    assert not Answer(0, 2, (whole, (2, 2, 2, 2, rows - 1)), is_join=False).is_whole
    assert not Answer(0, 1, (whole, whole), is_join=False).is_whole


def test_a_reader_who_waits_for_a_lock_is_noticed_and_so_is_who_is_in_the_way(warehouse: Warehouse) -> None:
    publication.publish(warehouse.settings, publisher.build(warehouse.settings))
    stop = threading.Event()
    reader, watcher = Reader(warehouse, LEVELS[0], 1, pins=False, stop=stop), Watcher(warehouse, stop)
    with warehouse.admin() as admin, admin.transaction():
        admin.execute("lock table store.kpi_b in access exclusive mode")
        reader.start()
        watcher.start()
        while not (reader.errors and watcher.longest):
            time.sleep(0.05)
        stop.set()
    reader.join()
    watcher.join()
    assert reader.errors[0] == "55P03 LockNotAvailable"
    assert "AccessShareLock relation store.kpi_b, held by lock table" in watcher.longest[READERS][1]


def test_no_reader_ever_sees_two_publications_or_none_or_waits(warehouse: Warehouse) -> None:
    first = publisher.build(warehouse.settings)
    publication.publish(warehouse.settings, first)
    stop = threading.Event()
    shapes: list[tuple[int, bool]] = [(1, False), (6, False), (4, True)]
    readers = [Reader(warehouse, level, asked, pins, stop) for level in LEVELS for asked, pins in shapes]
    watcher = Watcher(warehouse, stop)
    kills: list[str] = []
    began = time.monotonic()
    for thread in (*readers, watcher):
        thread.start()
    with mortal(warehouse, kills):
        while time.monotonic() < began + AT_MOST_SECONDS and (
            len(moves(warehouse)) < MOVES or pruned(warehouse) < PRUNED
        ):
            time.sleep(0.3)
    stop.set()
    for thread in (*readers, watcher):
        thread.join()

    shown = moves(warehouse)
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(shown))
    print(
        f"{time.monotonic() - began:.0f} s: {len(shown)} moves, {backwards} of them back, {pruned(warehouse)} pruned, "
        f"{dict(Counter(kills))} killed, {sum(len(reader.answers) for reader in readers)} answers, longest waits seen "
        f"at {watcher.looks} looks: {watcher.longest}"
    )
    for reader in readers:
        assert reader.errors == [], (reader.name, watcher.longest)
        assert [answer for answer in reader.answers if not answer.is_whole] == [], reader.name
        assert len(reader.answers) > 50, reader.name
    check_order(readers, shown)
    assert len(shown) >= MOVES
    assert pruned(warehouse) >= PRUNED
    assert set(kills) == {"tests.publisher", "tests.pruner"}, "one died that was not killed"
    assert min(backwards, kills.count("tests.publisher"), kills.count("tests.pruner")) > 3
    check_what_was_left_behind(warehouse)


def check_what_was_left_behind(warehouse: Warehouse) -> None:
    """Prune once more, undisturbed: nothing is half detached, and what can be read is what is kept."""
    prune(warehouse.settings, pruner.KEPT)
    assert warehouse.rows("select from pg_inherits where inhdetachpending") == []
    kept = {f"publication_{each.publication_id}" for each in publication.publications(warehouse.settings)}
    homes = {row[0] for row in warehouse.rows("select nspname from pg_namespace where nspname like 'publication_%'")}
    assert len(kept) in (pruner.KEPT, pruner.KEPT + 1)
    # The last may have been attached by a publisher who did not live to show it.
    assert kept <= homes
    assert len(homes - kept) <= 1


def check_order(readers: Sequence[Reader], shown: Sequence[int]) -> None:
    """Hold what each reader saw, in its order, against what readers were shown."""
    by_transaction: Callable[[Answer], int] = lambda answer: answer.transaction  # noqa: E731
    for reader in readers:
        transactions = [list(answers) for _, answers in itertools.groupby(reader.answers, by_transaction)]
        for answers in transactions:
            assert len({answer.publication_id for answer in answers}) == 1, reader.name
        if "pinned" not in reader.name:
            assert follows([answer.publication_id for answer in reader.answers], shown), reader.name


@pytest.mark.any_server
def test_what_a_killed_publisher_left_behind_is_completed(warehouse: Warehouse) -> None:
    """Killed between attaching and pointing, a publication is shown by the next who publishes it."""
    build_id = publisher.build(warehouse.settings)
    with connect(warehouse.settings, Role.PUBLISHER, autocommit=True) as killed:
        killed.execute("select store.attach(%s)", [build_id])
    assert publication.publications(warehouse.settings) == []
    assert publication.publish(warehouse.settings, build_id) == build_id
    assert [each.is_current for each in publication.publications(warehouse.settings)] == [True]
