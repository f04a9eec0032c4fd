"""The verdict: what refuses a build, and what must never refuse or pass it."""

from dataclasses import replace

import pytest

from expectations.verdict import CheckResult, Outcome, Severity, decide

PASSED = CheckResult(
    suite="dim_date",
    check_id="date_listed_once",
    table_name="dim_date",
    severity=Severity.CRITICAL,
    dimension="conformance",
    outcome=Outcome.PASSED,
    rows_checked=10,
    rows_failed=0,
    says="Each day is listed once.",
    owner="Performance (performance@example.org)",
    measures=(),
    reason=None,
)
OTHER = replace(PASSED, check_id="calendar_has_no_gap")


def test_passes_when_every_declared_check_passed() -> None:
    decision = decide([PASSED.name, OTHER.name], [PASSED, OTHER])

    assert decision.passed
    assert (decision.verdict, decision.checks_declared, decision.checks_evaluated) == ("passed", 2, 2)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR])
def test_one_broken_critical_check_refuses(outcome: Outcome) -> None:
    decision = decide([PASSED.name, OTHER.name], [PASSED, replace(OTHER, outcome=outcome)])

    assert decision.verdict == "refused"
    assert decision.critical_failed == 1


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.INFORMATION])
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR])
def test_broken_checks_that_are_not_critical_never_block(severity: Severity, outcome: Outcome) -> None:
    decision = decide([PASSED.name], [replace(PASSED, severity=severity, outcome=outcome)])

    assert decision.passed
    assert decision.warning_failed == (1 if severity is Severity.WARNING else 0)


def test_not_applicable_does_not_block() -> None:
    assert decide([PASSED.name], [replace(PASSED, outcome=Outcome.NOT_APPLICABLE)]).passed


def test_a_check_without_a_result_refuses_whatever_its_severity() -> None:
    decision = decide([PASSED.name, OTHER.name], [PASSED])

    assert not decision.passed
    assert decision.reasons == ("1 of 2 declared checks were not evaluated",)


def test_a_result_given_twice_does_not_stand_in_for_a_missing_one() -> None:
    decision = decide([PASSED.name, OTHER.name], [PASSED, PASSED])

    assert decision.checks_declared == decision.checks_evaluated
    assert not decision.passed


def test_a_result_nobody_declared_refuses() -> None:
    assert not decide([PASSED.name], [PASSED, OTHER]).passed


def test_nothing_declared_refuses() -> None:
    assert decide([], []).reasons == ("no check was declared",)
