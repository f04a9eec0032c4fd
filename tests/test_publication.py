"""Publication on small candidate tables: whole, atomic, reversible, and only after the gate."""

import threading
import time
from datetime import date
from typing import Any

import psycopg
import pytest

from carehouse import publication
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.publication import publications, publish, rollback
from tests.conftest import Warehouse

AS_AT = date(2018, 10, 31)
FOR_ALL = "council_code text not null default 'all' constraint whose_rows check (council_code = 'all')"


def build(
    warehouse: Warehouse, *, rows: int = 1, columns: str = "", tables: tuple[str, ...] = ("kpi_a", "kpi_b")
) -> int:
    """Make candidate tables as a build would, each row holding the build's id; give the id."""
    with connect(warehouse.settings, Role.BUILDER) as builder:
        row = builder.execute(
            "insert into audit.build (as_at_date, code_version, state) values (%s, 'test', 'built') returning build_id",
            [AS_AT],
        ).fetchone()
        assert row is not None
        build_id = int(row[0])
        for table in tables:
            builder.execute(f"drop table if exists candidate.{table}")
            builder.execute(
                f"create table candidate.{table} (publication_id bigint not null, {FOR_ALL}, "
                f"value numeric(12, 2) {columns})"
            )
            builder.execute(
                f"insert into candidate.{table} (publication_id, value) select {build_id}, {build_id} "
                f"from generate_series(1, {rows})"
            )
            builder.execute(
                f"alter table candidate.{table} add constraint publication_is_constant "
                f"check (publication_id = {build_id})"
            )
    return build_id


def judge(warehouse: Warehouse, build_id: int, verdict: str = "passed") -> None:
    """Record a verdict as the gate would."""
    with connect(warehouse.settings, Role.GATE) as gate:
        gate.execute(
            "insert into audit.gate_run (build_id, verdict, checks_declared, checks_evaluated, critical_failed, "
            "warning_failed) values (%s, %s, 1, 1, 0, 0)",
            [build_id, verdict],
        )


def published(warehouse: Warehouse, **options: Any) -> int:
    """Build, pass and publish."""
    build_id = build(warehouse, **options)
    judge(warehouse, build_id)
    return publish(warehouse.settings, build_id)


def seen(reader: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """What a reader who joins two marts is shown."""
    row = reader.execute(
        "select min(a.value), max(b.value), count(*) from mart.kpi_a as a cross join mart.kpi_b as b"
    ).fetchone()
    assert row is not None
    return row


def test_readers_see_the_publication_and_nothing_else(warehouse: Warehouse) -> None:
    first = published(warehouse)
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        assert seen(reader) == (first, first, 1)
        second = published(warehouse, rows=3)
        assert seen(reader) == (second, second, 9)
    assert [each.publication_id for each in publications(warehouse.settings)] == [second, first]


def test_publishing_again_changes_nothing(warehouse: Warehouse) -> None:
    build_id = published(warehouse)
    assert publish(warehouse.settings, build_id) == build_id
    assert warehouse.rows("select count(*) from store.pointer_move") == [(1,)]


@pytest.mark.parametrize("fault", ["refused", "not judged", "rebuilt since", "not built"])
def test_nothing_gets_round_the_gate(warehouse: Warehouse, fault: str) -> None:
    current = published(warehouse)
    build_id = build(warehouse)
    if fault != "not judged":
        judge(warehouse, build_id, "refused" if fault == "refused" else "passed")
    if fault == "rebuilt since":
        build(warehouse)
    if fault == "not built":
        with warehouse.admin() as admin:
            admin.execute("update audit.build set state = 'failed' where build_id = %s", [build_id])
    with pytest.raises(CarehouseError, match="Not published"):
        publish(warehouse.settings, build_id)
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        assert seen(reader) == (current, current, 1)


def test_rows_of_another_build_cannot_be_published(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id)
    with warehouse.admin() as admin:
        admin.execute("alter table candidate.kpi_b drop constraint publication_is_constant")
        admin.execute("update candidate.kpi_b set publication_id = publication_id - 1")
    with pytest.raises(psycopg.errors.CheckViolation):
        publish(warehouse.settings, build_id)
    assert warehouse.rows("select count(*) from store.publication") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [{"tables": ("kpi_a",)}, {"tables": ("kpi_a", "kpi_b"), "columns": ", other text"}],
    ids=["mart gone", "column gone"],
)
def test_the_contract_with_readers_may_not_break(warehouse: Warehouse, change: dict[str, Any]) -> None:
    before = {"columns": ", other text"} if change.get("columns") else {}
    current = published(warehouse, **before)
    if change.get("columns"):
        change = {"tables": change["tables"]}
    build_id = build(warehouse, **change)
    if change["tables"] == ("kpi_a",):
        with warehouse.admin() as admin:
            admin.execute("drop table if exists candidate.kpi_b")
    judge(warehouse, build_id)
    with pytest.raises(CarehouseError, match=r"mart\.kpi_. (breaks its contract|is published but was not built)"):
        publish(warehouse.settings, build_id)
    assert publications(warehouse.settings)[0].publication_id == current


def test_a_column_may_be_added(warehouse: Warehouse) -> None:
    first = published(warehouse)
    published(warehouse, columns=", note text")
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        assert reader.execute("select note from mart.kpi_a").fetchall() == [(None,)]
        rollback(warehouse.settings)
        assert reader.execute("select value, note from mart.kpi_a").fetchall() == [(first, None)]


def test_rollback_is_to_the_publication_before_and_can_be_undone(warehouse: Warehouse) -> None:
    first, second = published(warehouse), published(warehouse)
    assert rollback(warehouse.settings) == first
    with pytest.raises(CarehouseError, match="no earlier publication"):
        rollback(warehouse.settings)
    assert rollback(warehouse.settings, second) == second
    with pytest.raises(CarehouseError, match="is not kept"):
        rollback(warehouse.settings, 999)


def test_a_repeatable_read_reader_keeps_one_whole_publication(warehouse: Warehouse) -> None:
    first = published(warehouse)
    with connect(warehouse.settings, Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        # Only one of the two marts has been touched when the next publication comes.
        assert reader.execute("select value from mart.kpi_a").fetchall() == [(first,)]
        began = time.monotonic()
        second = published(warehouse, rows=4)
        assert time.monotonic() - began < 60
        assert reader.execute("select value from mart.kpi_b").fetchall() == [(first,)]
        assert seen(reader) == (first, first, 1)
        reader.commit()
        assert seen(reader) == (second, second, 16)


def test_a_statement_planned_before_a_publication_never_finds_empty_marts(warehouse: Warehouse) -> None:
    """The planner may know the old partitions while the statement runs with the new pointer."""
    first = published(warehouse)
    with warehouse.admin() as admin:
        # The planner calls a stable function to estimate, which makes planning take a second.
        admin.execute(
            "create function mart.slow_to_plan() returns numeric stable language sql "
            "as 'select pg_sleep(1); select 0.0'"
        )
        admin.execute("grant execute on function mart.slow_to_plan() to mart_reader")
    build_id = build(warehouse)
    judge(warehouse, build_id)
    answers = []

    def read() -> None:
        with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
            answers.append(reader.execute("select value from mart.kpi_a where value > mart.slow_to_plan()").fetchall())

    reading = threading.Thread(target=read)
    reading.start()
    time.sleep(0.5)
    publish(warehouse.settings, build_id)
    reading.join()
    assert answers in ([[(first,)]], [[(build_id,)]])


@pytest.mark.parametrize("prepare_threshold", [0, None])
def test_a_transaction_keeps_to_what_it_read_first_and_the_next_reads_anew(
    warehouse: Warehouse, prepare_threshold: int | None
) -> None:
    """At READ COMMITTED too, and with plans kept since before the new partitions were attached."""
    first = published(warehouse)
    with connect(warehouse.settings, Role.READER) as reader:
        reader.prepare_threshold = prepare_threshold
        for publication_id in (first, first + 1):
            assert seen(reader) == (publication_id, publication_id, 1)
            published(warehouse)
            assert seen(reader) == (publication_id, publication_id, 1)
            assert reader.execute("select publication_id from mart.publication where is_current").fetchall() == [
                (publication_id,)
            ]
            reader.commit()
        rollback(warehouse.settings, first)
        assert seen(reader) == (first, first, 1)


def test_the_pointer_does_not_move_past_who_holds_a_mart_open_unread(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = published(warehouse)
    monkeypatch.setattr(publication, "LONGEST_WAIT_SECONDS", 0.3)
    build_id = build(warehouse)
    judge(warehouse, build_id)
    with connect(warehouse.settings, Role.READER) as reader:
        reader.execute("prepare later as select value from mart.kpi_a")
        with pytest.raises(CarehouseError, match=r"held open without being read by process \d+ of"):
            publish(warehouse.settings, build_id)
        assert reader.execute("execute later").fetchall() == [(first,)]
        assert publish(warehouse.settings, build_id) == build_id
        assert reader.execute("execute later").fetchall() == [(first,)]


def test_who_has_only_looked_at_the_list_of_publications_holds_nobody_up(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = published(warehouse)
    monkeypatch.setattr(publication, "LONGEST_WAIT_SECONDS", 0.3)
    with connect(warehouse.settings, Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("select publication_id from mart.publication").fetchall() == [(first,)]
        second = published(warehouse)
        assert seen(reader) == (first, first, 1)
        reader.commit()
        assert seen(reader) == (second, second, 1)


def test_a_session_may_pin_an_earlier_publication(warehouse: Warehouse) -> None:
    first, second = published(warehouse), published(warehouse)
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        reader.execute(f"set carehouse.publication = '{first}'")  # type: ignore[arg-type]
        assert seen(reader) == (first, first, 1)
        reader.execute("reset carehouse.publication")
        assert seen(reader) == (second, second, 1)
        reader.execute("set carehouse.publication = '999'")
        with pytest.raises(psycopg.DatabaseError, match="publication 999 is not kept"):
            seen(reader)


def test_an_interrupted_publication_is_completed(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id)
    with connect(warehouse.settings, Role.PUBLISHER, autocommit=True) as publisher:
        publisher.execute("select store.attach(%s)", [build_id])
    assert publications(warehouse.settings) == []
    assert publish(warehouse.settings, build_id) == build_id
    assert publications(warehouse.settings)[0].is_current
