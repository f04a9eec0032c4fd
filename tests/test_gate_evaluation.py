"""The gate on a real database: each way a check can end, and that nothing it keeps or says holds a value."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carehouse.errors import CarehouseError
from expectations.counts import Counts, Rule
from expectations.gate import GateReport, render, run_gate
from expectations.suite import SuiteError
from expectations.verdict import Outcome
from tests.conftest import Warehouse

SECRET = "Featherstonehaugh"

# check, expectation, arguments, the rest: each is expected to end as its name says.
PEOPLE = {
    "passed_unique": ("expect_column_values_to_be_unique", "{column: number}"),
    "passed_unique_pair": ("expect_compound_columns_to_be_unique", "{column_list: [council_code, number]}"),
    "passed_between": (
        "expect_column_values_to_be_between",
        "{column: number, min_value: 1, max_value: 200}",
    ),
    "passed_mostly": ("expect_column_values_to_be_in_set", "{column: name, value_set: [ok], mostly: 0.9}"),
    "passed_row_count": ("expect_table_row_count_to_be_between", "{min_value: 200}"),
    "passed_query_with_braces": (
        "unexpected_rows",
        "{query: \"select 1 from candidate.people where name ~ '[[:digit:]]{3}' or name like '%:z' -- 5:7\"}",
    ),
    "passed_condition": ("no_row_where", "{condition: number > 200}"),
    "passed_condition_of_some": ("no_row_where", "{condition: number > 99, of: number < 100 -- of the first}"),
    "passed_condition_by": ("no_row_where", "{condition: remark is not null, by: [remark, name]}"),
    "failed_condition": ("no_row_where", "{condition: number > 199 or amount is null -- so many}"),
    "failed_condition_of_some": ("no_row_where", "{condition: number > 5, of: number <= 10 or name <> 'ok'}"),
    "failed_condition_by": ("no_row_where", "{condition: judged.name = 'ok', by: [name]}"),
    "failed_condition_of_none": ("no_row_where", "{condition: 'true', of: number > 200}"),
    "failed_null": ("expect_column_values_to_not_be_null", "{column: amount}"),
    "failed_set": ("expect_column_values_to_be_in_set", "{column: name, value_set: [ok]}"),
    "failed_regex": ("expect_column_values_to_match_regex", "{column: name, regex: '^ok$'}"),
    "failed_lengths": ("expect_column_value_lengths_to_be_between", "{column: name, max_value: 5}"),
    "failed_between": ("expect_column_values_to_be_between", "{column: amount, max_value: 100}"),
    "failed_pair": (
        "expect_column_pair_values_a_to_be_greater_than_b",
        "{column_A: amount, column_B: number}",
    ),
    "failed_row_count": ("expect_table_row_count_to_be_between", "{max_value: 10}"),
    "failed_query": ("unexpected_rows", "{query: \"select name from candidate.people where name <> 'ok'\"}"),
    "failed_nothing_looked_at": (
        "unexpected_rows",
        "{query: 'select 1 from candidate.people where false', rows_checked: 'select 0'}",
    ),
    "error_cast": ("unexpected_rows", "{query: 'select name from candidate.people where name::numeric > 1'}"),
    "error_condition": ("no_row_where", "{condition: name::numeric > 1}"),
    "error_condition_by": ("no_row_where", "{condition: number > 1, by: [name]}"),
    "error_column": ("unexpected_rows", "{query: 'select nonsense from candidate.people'}"),
    "error_regex_on_number": ("expect_column_values_to_match_regex", "{column: amount, regex: '^1'}"),
    "error_rows_checked": (
        "unexpected_rows",
        "{query: 'select 1 from candidate.people', rows_checked: 'select max(name) from candidate.people'}",
    ),
    "not_applicable_all_null": ("expect_column_values_to_be_in_set", "{column: remark, value_set: [a]}"),
}
OTHERS = {
    "empty": {
        "failed_empty_null": ("expect_column_values_to_not_be_null", "{column: name}"),
        "failed_empty_unique": ("expect_column_values_to_be_unique", "{column: name}"),
        "failed_empty_query": ("unexpected_rows", "{query: 'select 1 from candidate.empty'}"),
    },
    "keyed": {
        "passed_key": ("expect_column_values_to_be_unique", "{column: number}"),
        "passed_more_than_key": ("expect_compound_columns_to_be_unique", "{column_list: [council_code, number]}"),
        "failed_beside_key": ("expect_column_values_to_be_unique", "{column: council_code}"),
    },
    "unkeyed": {"failed_twice": ("expect_column_values_to_be_unique", "{column: number}")},
    "absent": {"error_absent": ("expect_column_values_to_not_be_null", "{column: name}")},
    "hidden": {"error_hidden": ("expect_column_values_to_not_be_null", "{column: name}")},
}


@pytest.fixture
def admin(warehouse: Warehouse) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with warehouse.admin() as connection:
        connection.execute(
            f"""
            set role carehouse_builder;
            create table candidate.people (
                publication_id bigint, council_code text, number integer, name text, amount numeric,
                remark text
            );
            insert into candidate.people
            select 1, 'county', place, case place when 7 then '{SECRET}' else 'ok' end, nullif(place, 3), null
            from generate_series(1, 200) as place;
            create table candidate.empty (publication_id bigint, council_code text, name text);
            create table candidate.may_be_empty (publication_id bigint, council_code text, name text);
            create table candidate.hidden (publication_id bigint, council_code text, name text);
            create table candidate.keyed (publication_id bigint, council_code text, number integer primary key);
            insert into candidate.keyed select 1, 'county', place from generate_series(1, 20) as place;
            create table candidate.unkeyed (publication_id bigint, council_code text, number integer);
            insert into candidate.unkeyed values (1, 'county', 1), (1, 'county', 1);
            revoke all on candidate.hidden from carehouse_gate;
            reset role;
            insert into audit.build (as_at_date, code_version, state)
            values ('2018-10-31', 'test', 'built'), ('2018-10-31', 'test', 'failed');
            """
        )
        yield connection


def suite(checks: dict[str, tuple[str, str]], severity: str = "critical", more: str = "") -> str:
    written = [f"owner: Performance (performance@example.org)\n{more}checks:"]
    for name, (expectation, arguments) in checks.items():
        written.append(
            f"  - id: {name}\n    expectation: {expectation}\n    arguments: {arguments}\n"
            f"    severity: {severity}\n    dimension: conformance\n    says: What {name} protects.\n"
        )
    return "\n".join(written)


def test_each_way_a_check_can_end(
    warehouse: Warehouse,
    admin: psycopg.Connection[tuple[Any, ...]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "people.yaml").write_text(suite(PEOPLE))
    for table, checks in OTHERS.items():
        (tmp_path / f"{table}.yaml").write_text(suite(checks))
    (tmp_path / "may_be_empty.yaml").write_text(
        suite(
            {"not_applicable_empty": ("expect_column_values_to_not_be_null", "{column: name}")},
            more="allow_empty: true\n",
        )
    )

    report = run_gate(warehouse.settings, 1, tmp_path)

    declared = {*PEOPLE, "not_applicable_empty"}.union(*OTHERS.values())
    assert {result.check_id for result in report.results} == declared
    for result in report.results:
        assert result.check_id.startswith(result.outcome), (result.check_id, result.outcome, result.reason)
    assert not report.passed
    _counts_are_right(report)
    _record_is_the_report(admin, report)
    said = capfd.readouterr()
    kept = str(admin.execute("select to_jsonb(gate_check) from audit.gate_check").fetchall())
    for text in (repr(report), render(report), said.out, said.err, caplog.text, kept):
        assert SECRET not in text
    assert said.out == ""
    # A connection left open would hold a lock on the tables, and so keep them from being published.
    admin.execute("set lock_timeout = '5s'")
    admin.execute("alter table candidate.people set schema store")


def _counts_are_right(report: GateReport) -> None:
    found = {result.check_id: (result.rows_checked, result.rows_failed) for result in report.results}
    assert found["passed_unique"] == (200, 0)
    assert found["passed_mostly"] == (200, 1)
    assert found["passed_row_count"] == (200, None)
    assert found["passed_condition"] == (200, 0)
    assert found["passed_condition_of_some"] == (99, 0)
    assert found["passed_condition_by"] == (200, 0)
    assert found["failed_condition"] == (200, 2)
    assert found["failed_condition_of_some"] == (10, 5)
    assert found["failed_condition_by"] == (200, 199)
    assert found["passed_key"] == found["passed_more_than_key"] == (20, 0)
    assert found["failed_beside_key"] == (20, 20)
    assert found["failed_null"] == (200, 1)
    assert found["failed_set"] == (200, 1)
    assert found["failed_between"] == (199, 100)
    assert found["failed_query"] == (200, 1)
    assert found["failed_empty_null"] == (0, 0)
    assert found["not_applicable_all_null"] == (0, 0)
    assert found["error_cast"] == (None, None)
    reasons = {result.check_id: result.reason for result in report.results}
    assert reasons["error_cast"] == "InvalidTextRepresentation"
    assert reasons["error_column"] == "UndefinedColumn"
    assert reasons["error_absent"] == "the table was not built"
    assert reasons["error_hidden"] == "InsufficientPrivilege"
    assert reasons["failed_set"] == "1 broken of 200 looked at"


def _record_is_the_report(admin: psycopg.Connection[tuple[Any, ...]], report: GateReport) -> None:
    run = admin.execute(
        "select build_id, verdict, checks_declared, checks_evaluated, critical_failed, warning_failed"
        " from audit.gate_run where gate_run_id = %s",
        [report.gate_run_id],
    ).fetchone()
    broken = sum(result.is_broken for result in report.results)
    assert run == (1, "refused", len(report.results), len(report.results), broken, 0)
    kept = admin.execute(
        "select check_id, outcome, rows_checked, rows_failed, says, owner, reason from audit.gate_check"
        " where gate_run_id = %s order by check_id",
        [report.gate_run_id],
    ).fetchall()
    assert kept == sorted(
        (r.check_id, r.outcome, r.rows_checked, r.rows_failed, r.says, r.owner, r.reason) for r in report.results
    )


def test_warnings_do_not_refuse_and_a_missing_result_does(
    warehouse: Warehouse,
    admin: psycopg.Connection[tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = {name: check for name, check in PEOPLE.items() if name.startswith(("failed", "error"))}
    (tmp_path / "people.yaml").write_text(suite(broken, severity="warning"))

    report = run_gate(warehouse.settings, 1, tmp_path)

    assert report.passed
    assert report.decision.warning_failed == len(broken)
    assert render(report).startswith("PASSED  build 1\n")
    from expectations.engine import Engine

    ask = Engine.evaluate

    def loses_one(engine: Engine, table: str | None, rules: Sequence[Rule]) -> list[Counts | None]:
        answers = ask(engine, table, rules)
        return [None, *answers[1:]] if table else answers

    monkeypatch.setattr(Engine, "evaluate", loses_one)
    report = run_gate(warehouse.settings, 1, tmp_path)
    assert report.decision.reasons == (f"1 of {len(broken)} declared checks were not evaluated",)
    verdicts = admin.execute("select verdict from audit.gate_run order by gate_run_id").fetchall()
    assert verdicts == [("passed",), ("refused",)]


def test_a_build_that_cannot_be_judged_does_not_keep_an_earlier_pass(
    warehouse: Warehouse, admin: psycopg.Connection[tuple[Any, ...]], tmp_path: Path
) -> None:
    misspelt = {"name_present": ("expect_column_values_to_not_be_null", "{column: nome}")}
    (tmp_path / "people.yaml").write_text(suite(misspelt))

    with pytest.raises(SuiteError, match="unknown column 'nome'; allowed: publication_id, council_code, number"):
        run_gate(warehouse.settings, 1, tmp_path)

    assert admin.execute("select verdict, checks_declared from audit.gate_run").fetchall() == [("refused", 0)]


@pytest.mark.parametrize(("build_id", "said"), [(2, "is failed, not built"), (3, "does not exist")])
def test_only_a_finished_build_is_judged(
    warehouse: Warehouse, admin: psycopg.Connection[tuple[Any, ...]], build_id: int, said: str
) -> None:
    with pytest.raises(CarehouseError, match=said):
        run_gate(warehouse.settings, build_id)


def test_a_published_build_is_not_judged_again(warehouse: Warehouse) -> None:
    with warehouse.admin() as admin:
        admin.execute(
            "insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built')"
        )

        with pytest.raises(CarehouseError, match="build 1 has been published, or its tables were dropped"):
            run_gate(warehouse.settings, 1)

        assert admin.execute("select count(*) from audit.gate_run").fetchone() == (0,)


def test_report_says_verdict_first_then_what_each_broken_check_protects(
    warehouse: Warehouse, admin: psycopg.Connection[tuple[Any, ...]], tmp_path: Path
) -> None:
    check = suite({"name_known": PEOPLE["failed_set"]}).replace("says:", "measures: [K001, K007]\n    says:")
    (tmp_path / "people.yaml").write_text(check)

    report = run_gate(warehouse.settings, 1, tmp_path)

    assert report.results[0].outcome is Outcome.FAILED
    assert render(report).splitlines() == [
        "REFUSED  build 1: 1 critical check failed",
        "1 of 1 checks evaluated, 1 critical and 0 warnings broken",
        "",
        "critical  people / name_known  (people)",
        "  protects   What name_known protects.",
        "  found      1 broken of 200 looked at",
        "  since      the figures as at 31 October 2018",
        "  affects    K001, K007",
        "  ask        Performance (performance@example.org)",
        "",
        "The last publication stays. The candidate stays for inspection, in the schema candidate.",
    ]


def test_a_broken_check_says_since_when_and_who_would_see_it(
    warehouse: Warehouse, admin: psycopg.Connection[tuple[Any, ...]], tmp_path: Path
) -> None:
    (tmp_path / "people.yaml").write_text(suite({"name_known": PEOPLE["failed_set"]}))
    assert "since      the figures as at 31 October 2018" in render(run_gate(warehouse.settings, 1, tmp_path))
    later = "insert into audit.build (as_at_date, code_version, state) values (%s, 'test', 'built') returning build_id"
    row = admin.execute(later, ["2018-11-01"]).fetchone()
    report = run_gate(warehouse.settings, row[0] if row else 0, tmp_path)
    assert "since      the figures as at 31 October 2018" in render(report)
    kept = "select broken_since::text from audit.gate_check where gate_run_id = %s"
    assert admin.execute(kept, [report.gate_run_id]).fetchall() == [("2018-10-31",)]

    admin.execute("update candidate.people set name = 'ok'")
    assert "since" not in render(run_gate(warehouse.settings, report.build_id, tmp_path))
    admin.execute("update candidate.people set name = 'no'")
    assert "since      the figures as at 01 November 2018" in render(run_gate(warehouse.settings, 3, tmp_path))
