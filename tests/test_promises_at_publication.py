"""The database itself keeps what readers were promised, whatever the checks before it let through."""

from datetime import date, timedelta

import psycopg
import pytest

from carehouse import publication
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.promise import today
from carehouse.publication import publications, publish, rollback
from tests.conftest import Warehouse
from tests.test_publication import build, judge, published

NOTE = ", note text not null default 'x'"


def alter(warehouse: Warehouse, statement: str) -> None:
    """Change a candidate table as a changed model would."""
    with warehouse.admin() as admin:
        admin.execute(statement)  # type: ignore[arg-type]


def keyed(warehouse: Warehouse, key: str) -> int:
    """Build, with a key, and pass."""
    build_id = build(warehouse, columns=", place integer default 1")
    if key:
        alter(warehouse, f"alter table candidate.kpi_a add primary key ({key})")
    judge(warehouse, build_id)
    return build_id


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("alter column value type numeric(14, 2)", r"column value was numeric\(12,2\) and would be numeric\(14,2\)"),
        ("alter column value type numeric(10, 2)", r"column value was numeric\(12,2\) and would be numeric\(10,2\)"),
        ("alter column value type bigint", r"column value was numeric\(12,2\) and would be bigint"),
        ("rename column value to worth", r"column value was numeric\(12,2\) and would be gone"),
        ("alter column publication_id drop not null", "column publication_id was never empty and now may be"),
        ("alter column note drop not null", "column note was never empty and now may be"),
    ],
)
def test_a_changed_column_is_not_published(warehouse: Warehouse, change: str, complaint: str) -> None:
    published(warehouse)
    # Added after the first publication, so that only the newest tables are sure to be never empty.
    current = published(warehouse, columns=NOTE)
    build_id = build(warehouse, columns=NOTE)
    alter(warehouse, f"alter table candidate.kpi_a {change}")
    judge(warehouse, build_id)
    with pytest.raises(
        CarehouseError, match=rf"Not published: mart\.kpi_a breaks its contract with readers: {complaint}"
    ):
        publish(warehouse.settings, build_id)
    assert [each.publication_id for each in publications(warehouse.settings) if each.is_current] == [current]


def test_a_column_may_become_never_empty(warehouse: Warehouse) -> None:
    published(warehouse)
    build_id = build(warehouse)
    alter(warehouse, "alter table candidate.kpi_a alter column value set not null")
    judge(warehouse, build_id)
    assert publish(warehouse.settings, build_id) == build_id


@pytest.mark.parametrize("key", ["place", "publication_id, place, value", ""])
def test_what_one_row_is_may_not_change(warehouse: Warehouse, key: str) -> None:
    publish(warehouse.settings, keyed(warehouse, "publication_id, place"))
    build_id = keyed(warehouse, key)
    # A key makes its columns never empty; that is not what is asked here.
    for column in ("place", "value"):
        alter(warehouse, f"alter table candidate.kpi_a alter column {column} set not null")
    with pytest.raises(CarehouseError, match=r"one row was told by \(place, publication_id\) and would be by \("):
        publish(warehouse.settings, build_id)


def test_a_key_may_be_given_and_written_in_another_order(warehouse: Warehouse) -> None:
    for key in ("", "publication_id, place", "place, publication_id"):
        publish(warehouse.settings, keyed(warehouse, key))


def deprecated(warehouse: Warehouse, last_day: date) -> int:
    """Publish a version of a mart that goes after a day, and the one that replaces it."""
    build_id = build(warehouse, tables=("kpi_a", "kpi_b", "kpi_b_v2"))
    alter(
        warehouse,
        "comment on table candidate.kpi_b is "
        f"e'What it holds.\\n\\nOne row is one.\\nDeprecated: read mart.kpi_b_v2 instead; it goes after {last_day}.'",
    )
    judge(warehouse, build_id)
    return publish(warehouse.settings, build_id)


def without_the_old_version(warehouse: Warehouse) -> int:
    """Build the new version alone."""
    build_id = build(warehouse, tables=("kpi_a", "kpi_b_v2"))
    alter(warehouse, "drop table if exists candidate.kpi_b")
    judge(warehouse, build_id)
    return build_id


def test_a_version_stays_until_the_day_announced_is_over(warehouse: Warehouse) -> None:
    current = deprecated(warehouse, today() + timedelta(1))
    with pytest.raises(CarehouseError, match=r"mart\.kpi_b was not built and is to stay until \d{4}-"):
        publish(warehouse.settings, without_the_old_version(warehouse))
    assert warehouse.rows("select value from mart.kpi_b", Role.READER) == [(current,)]


def test_a_version_goes_when_its_day_is_over_and_can_be_led_back_to(warehouse: Warehouse) -> None:
    before = deprecated(warehouse, today() - timedelta(2))
    after = publish(warehouse.settings, without_the_old_version(warehouse))
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.rows("select value from mart.kpi_b", Role.READER)
    assert warehouse.rows("select value from mart.kpi_b_v2", Role.READER) == [(after,)]
    rollback(warehouse.settings)
    assert warehouse.rows("select value from mart.kpi_b_v2", Role.READER) == [(before,)]
    # The nights after do without it, too.
    later = publish(warehouse.settings, without_the_old_version(warehouse))
    assert warehouse.rows("select value from mart.kpi_a", Role.READER) == [(later,)]


def test_a_version_does_not_go_from_under_a_reader(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "LONGEST_WAIT_SECONDS", 0.3)
    current = deprecated(warehouse, today() - timedelta(2))
    build_id = without_the_old_version(warehouse)
    with warehouse.admin() as admin:
        admin.execute("alter function store.retire set lock_timeout = '100ms'")
    with connect(warehouse.settings, Role.READER) as reader:
        assert reader.execute("select value from mart.kpi_b").fetchall() == [(current,)]
        with pytest.raises(CarehouseError, match=r"mart\.kpi_b is to go, and is being read; publish again later"):
            publish(warehouse.settings, build_id)
        assert reader.execute("select value from mart.kpi_b").fetchall() == [(current,)]
    assert publish(warehouse.settings, build_id) == build_id


def test_a_version_does_not_go_while_something_is_made_from_it(warehouse: Warehouse) -> None:
    deprecated(warehouse, today() - timedelta(2))
    with warehouse.admin() as admin:
        admin.execute("create schema team; create view team.own as select * from mart.kpi_b")
    with pytest.raises(CarehouseError, match=r"mart\.kpi_b is to go, and something of yours is made from it"):
        publish(warehouse.settings, without_the_old_version(warehouse))
