"""A build beside what landed and what was published last: what moved too far is refused, before a first night nothing is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expectations.gate import run_gate
from expectations.suite import SuiteError
from expectations.verdict import Outcome
from tests.conftest import Warehouse

pytestmark = pytest.mark.any_server

HEAD = "owner: Performance (performance@example.org)\n"
CHECK = """
  - id: {name}
    expectation: {name}
    arguments: {arguments}
    allow_empty: true
    severity: critical
    dimension: plausibility
    says: What {name} protects.
"""
MOVEMENT = {
    "rows_near_last_publication": "{fewer_percent: 20, more_percent: 50, rows_at_least: 20}",
    "past_months_near_last_publication": "{percent: 25, rows_at_least: 10}",
    "no_month_vanished": "{rows_at_least: 5}",
    "no_hole_in_months": "{rows_at_least: 5}",
}
LANDED = {
    "rows_as_landed": "{of: [mosaic.visits], left_out_percent: 10}",
    "amount_as_landed": "{of: mosaic.visits}",
}
NOTHING = (Outcome.NOT_APPLICABLE, "there was nothing to look at")
BUILD = "insert into audit.build (as_at_date, code_version, state) values (%s, 'test', 'built') returning build_id"


@pytest.fixture
def admin(warehouse: Warehouse, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    checks = "".join(CHECK.format(name=name, arguments=given) for name, given in (MOVEMENT | LANDED).items())
    (tmp_path / "fct_visits.yaml").write_text(f"{HEAD}month: visited_date\namount: cost_gbp\nchecks:{checks}")
    with warehouse.admin() as connection:
        connection.execute(
            """
            set role carehouse_builder;
            create table candidate.fct_visits (
                publication_id bigint, council_code text, visited_date date, cost_gbp numeric
            );
            insert into candidate.fct_visits
            select 1, 'county', month + interval '3 days', 1.10
            from generate_series('2018-05-01'::timestamp, '2018-09-01', '1 month') as month
            cross join generate_series(1, 20);
            reset role;
            """
        )
        yield connection


def judged(warehouse: Warehouse, suites: Path, build_id: int) -> dict[str, tuple[Outcome, str | None]]:
    report = run_gate(warehouse.settings, build_id, suites)
    return {result.check_id: (result.outcome, result.reason) for result in report.results}


def begin(admin: psycopg.Connection[Any], as_at: str = "2018-10-31") -> int:
    row = admin.execute(BUILD, [as_at]).fetchone()
    assert row
    return int(row[0])


def show(admin: psycopg.Connection[Any], build_id: int) -> None:
    """Let a judged build have been published."""
    admin.execute(
        "insert into store.publication (publication_id, gate_run_id, as_at_date, code_version, published_at)"
        " select build_id, gate_run_id, as_at_date, 'test', now() from audit.gate_run inner join audit.build"
        " using (build_id) where build_id = %s",
        [build_id],
    )


def test_before_the_first_publication_nothing_has_moved(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    found = judged(warehouse, tmp_path, begin(admin))

    assert found.pop("no_hole_in_months") == (Outcome.PASSED, None)
    assert set(found) == {*MOVEMENT, *LANDED} - {"no_hole_in_months"}
    assert set(found.values()) == {NOTHING}


def test_what_is_as_it_was_passes_and_what_moved_too_far_fails(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    first = begin(admin)
    judged(warehouse, tmp_path, first)
    show(admin, first)

    second = begin(admin, "2018-11-01")
    found = judged(warehouse, tmp_path, second)
    assert {found[name] for name in MOVEMENT} == {(Outcome.PASSED, None)}

    # Ten more in a month that is not over in the figures shown: no past month has moved.
    admin.execute("insert into candidate.fct_visits select 1, 'county', '2018-10-20', 1.10 from generate_series(1, 10)")
    found = judged(warehouse, tmp_path, second)
    assert {found[name] for name in MOVEMENT} == {(Outcome.PASSED, None)}

    admin.execute(
        "update candidate.fct_visits set cost_gbp = 2 where visited_date between '2018-06-01' and '2018-06-30'"
    )
    found = judged(warehouse, tmp_path, second)
    assert found["past_months_near_last_publication"] == (Outcome.FAILED, "1 broken of 5 looked at")
    assert found["rows_near_last_publication"] == (Outcome.PASSED, None)

    admin.execute("delete from candidate.fct_visits where visited_date between '2018-06-01' and '2018-07-31'")
    found = judged(warehouse, tmp_path, second)
    assert found["no_month_vanished"] == (Outcome.FAILED, "2 broken of 5 looked at")
    assert found["no_hole_in_months"] == (Outcome.FAILED, "2 broken of 6 looked at")
    assert found["rows_near_last_publication"] == (Outcome.FAILED, "1 broken of 1 looked at")

    admin.execute("truncate candidate.fct_visits")
    found = judged(warehouse, tmp_path, second)
    assert found["rows_near_last_publication"] == (Outcome.FAILED, "1 broken of 1 looked at")


def test_rows_and_amounts_are_those_that_landed_but_for_what_was_taken_away(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    build_id = begin(admin)
    admin.execute(
        """
        with landed as (
            insert into audit.batch (
                council_code, source_name, table_name, contract_version, file_name, content_sha256, size_bytes,
                extract_date, known_on, state, rows_in, rows_new, rows_changed, rows_unchanged, rows_removed,
                rows_superseded, rows_rejected, control_total_gbp, started_at, finished_at
            )
            values (
                'county', 'mosaic', 'visits', '1', 'f', '0', 1, '2018-10-31', '2018-10-31', 'accepted', 105, 105, 0, 0,
                0, 0, 0, 110.00, '2018-10-31', '2018-10-31'
            )
            returning batch_id
        ),

        used as (insert into audit.build_batch select 1, batch_id from landed)

        insert into audit.batch_profile select batch_id, 'rows', '', '', 105 from landed
        """
    )
    found = judged(warehouse, tmp_path, build_id)
    assert {found[name] for name in LANDED} == {(Outcome.PASSED, None)}

    admin.execute(
        "update candidate.fct_visits set cost_gbp = 1.11 where ctid = (select min(ctid) from candidate.fct_visits)"
    )
    assert judged(warehouse, tmp_path, build_id)["amount_as_landed"] == (Outcome.FAILED, "1 broken of 1 looked at")

    admin.execute("delete from candidate.fct_visits where visited_date < '2018-06-01'")
    assert judged(warehouse, tmp_path, build_id)["rows_as_landed"] == (Outcome.FAILED, "1 broken of 1 looked at")

    admin.execute(
        "insert into audit.retention_run (retention_run_id, class_name, council_code, table_name, as_of_date,"
        " cut_off_date, rows_removed) values (gen_random_uuid(), 'visits', 'county', 'mosaic.visits', '2018-10-31',"
        " '2018-06-01', 20)"
    )
    found = judged(warehouse, tmp_path, build_id)
    assert found["rows_as_landed"] == (Outcome.PASSED, None)
    assert found["amount_as_landed"] == NOTHING

    admin.execute("insert into candidate.fct_visits select 1, 'county', '2018-10-20', 1 from generate_series(1, 40)")
    assert judged(warehouse, tmp_path, build_id)["rows_as_landed"] == (Outcome.FAILED, "1 broken of 1 looked at")


def test_a_mart_without_a_month_and_one_left_out_are_not_judged(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "fct_visits.yaml").write_text(
        HEAD
        + "checks:"
        + CHECK.format(name="no_month_vanished", arguments="{}")
        + CHECK.format(name="rows_near_last_publication", arguments="{fewer_percent: 1, but_not: [fct_visits]}")
    )
    assert judged(warehouse, tmp_path, begin(admin)) == {
        "no_month_vanished": (
            Outcome.NOT_APPLICABLE,
            "its suite names no month by which its rows could be counted",
        ),
        "rows_near_last_publication": (Outcome.NOT_APPLICABLE, "the check leaves this table out"),
    }


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("month: visited_date", "month: visit_date", "unknown column 'visit_date' as month"),
        ("amount: cost_gbp", "amount: cost", "unknown column 'cost' as amount"),
        ("fewer_percent: 20", "fewer_percent: 20, but_not: [fct_visit]", "unknown table 'fct_visit' in but_not"),
        ("fewer_percent: 20", "fewer_percent: 120", "less than or equal to 100"),
    ],
)
def test_a_misspelt_month_amount_table_or_limit_is_refused(
    warehouse: Warehouse, admin: psycopg.Connection[Any], tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    text = (tmp_path / "fct_visits.yaml").read_text()
    assert right in text
    (tmp_path / "fct_visits.yaml").write_text(text.replace(right, wrong))

    with pytest.raises(SuiteError, match=said):
        run_gate(warehouse.settings, begin(admin), tmp_path)
