"""A council that delivers little is published; one whose mart came out empty although it delivered is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expectations.gate import render, run_gate
from expectations.verdict import Outcome
from tests.conftest import Warehouse

pytestmark = pytest.mark.any_server

SUITE = """
owner: Performance (performance@example.org)
delivered_by: [mosaic.people, mosaic.places]
checks:
  - id: name_present
    expectation: expect_column_values_to_not_be_null
    arguments: {column: name}
    severity: critical
    dimension: completeness
    says: Every row has a name.

  - id: people_of_every_council_that_delivers
    expectation: rows_of_every_council_that_delivers
    severity: critical
    dimension: completeness
    says: Every council that delivers people has them here.
"""
UNDELIVERED = "no council delivers mosaic.people and mosaic.places"


@pytest.fixture
def admin(warehouse: Warehouse, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    (tmp_path / "people.yaml").write_text(SUITE)
    with warehouse.admin() as connection:
        connection.execute(
            """
            set role carehouse_builder;
            create table candidate.people (publication_id bigint, council_code text, name text);
            reset role;
            insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built');
            """
        )
        yield connection


def deliver(admin: psycopg.Connection[Any], council: str, table: str, rows: int = 5, days_ago: int = 0) -> None:
    """Let a council have delivered a table that holds so many rows since."""
    row = admin.execute(
        """
        insert into audit.batch (
            council_code, source_name, table_name, contract_version, file_name, content_sha256, size_bytes,
            extract_date, known_on, state, rows_in, rows_new, rows_changed, rows_unchanged, rows_removed,
            rows_superseded, rows_rejected, started_at, finished_at
        )
        select
            %s, 'mosaic', %s, '1', 'f', '0', 1, date '2018-10-31' - %s, date '2018-10-31' - %s, 'accepted',
            1, 1, 0, 0, 0, 0, 0, started_at, started_at
        from audit.build
        where build_id = 1
        returning batch_id
        """,
        [council, table, days_ago, days_ago],
    ).fetchone()
    assert row
    admin.execute("insert into audit.build_batch values (1, %s)", row)
    admin.execute("insert into audit.batch_profile values (%s, 'rows', '', '', %s)", [row[0], rows])


def judged(warehouse: Warehouse, suites: Path) -> dict[str, tuple[Outcome, str | None]]:
    report = run_gate(warehouse.settings, 1, suites)
    return {result.check_id: (result.outcome, result.reason) for result in report.results}


def test_an_empty_mart_of_which_nobody_delivers_is_not_applicable_and_says_so(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    # Half of what it takes, and a table that holds nothing, are no delivery.
    deliver(admin, "city", "people")
    deliver(admin, "county", "people")
    deliver(admin, "county", "places", rows=0)

    assert judged(warehouse, tmp_path) == {
        "name_present": (Outcome.NOT_APPLICABLE, f"the table is empty: {UNDELIVERED}"),
        "people_of_every_council_that_delivers": (Outcome.NOT_APPLICABLE, UNDELIVERED),
    }


def test_a_mart_without_rows_of_a_council_that_delivers_is_refused(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    for council in ("city", "county"):
        # A source that fell silent long ago still delivers what it said last.
        deliver(admin, council, "people", days_ago=400)
        deliver(admin, council, "places")

    empty = run_gate(warehouse.settings, 1, tmp_path)
    assert not empty.passed
    assert "2 broken of 2 looked at" in render(empty)

    admin.execute("insert into candidate.people values (1, 'city', 'Ann')")
    found = judged(warehouse, tmp_path)
    assert found["name_present"] == (Outcome.PASSED, None)
    assert found["people_of_every_council_that_delivers"] == (Outcome.FAILED, "1 broken of 2 looked at")

    admin.execute("insert into candidate.people values (1, 'county', 'Bob')")
    assert run_gate(warehouse.settings, 1, tmp_path).passed


def test_a_council_that_fell_silent_before_the_months_of_a_mart_need_not_have_any(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    asked = "expectation: rows_of_every_council_that_delivers"
    (tmp_path / "people.yaml").write_text(SUITE.replace(asked, f"{asked}\n    arguments: {{within_months: 3}}"))
    # The month ends of October, September and August: that of August, or the day before, is what one table reaches to.
    for council, days_ago in (("city", 61), ("county", 62)):
        deliver(admin, council, "people")
        deliver(admin, council, "places", days_ago=days_ago)

    found = judged(warehouse, tmp_path)
    assert found["people_of_every_council_that_delivers"] == (Outcome.FAILED, "1 broken of 1 looked at")
    admin.execute("insert into candidate.people values (1, 'city', 'Ann')")
    assert run_gate(warehouse.settings, 1, tmp_path).passed
