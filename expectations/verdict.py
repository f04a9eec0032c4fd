"""May it proceed: a build passes only if every declared check was evaluated and no critical one is broken."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Severity(StrEnum):
    """What a broken check means: critical blocks publication; a warning is shown; information is kept."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFORMATION = "information"


class Outcome(StrEnum):
    """What came of a check. `error`: it could not run. `not_applicable`: no row carries what it is about."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


class Result(Protocol):
    """What a decision needs to know of what came of a check."""

    @property
    def name(self) -> tuple[str, str]:
        """Give the suite and the check's id, which no other result shares."""

    @property
    def severity(self) -> Severity:
        """Give what a broken check means."""

    @property
    def outcome(self) -> Outcome:
        """Give what came of it."""


@dataclass(frozen=True)
class CheckResult:
    """What came of one check on one table: counts only, never a value that failed.

    `rows_checked` and `rows_failed` are None where the check could not run or counts no single rows.
    """

    suite: str
    check_id: str
    table_name: str
    severity: Severity
    dimension: str
    outcome: Outcome
    rows_checked: int | None
    rows_failed: int | None
    says: str
    owner: str
    measures: tuple[str, ...]
    reason: str | None

    @property
    def name(self) -> tuple[str, str]:
        """Give the suite and the check's id, which no other result of a run shares."""
        return self.suite, self.check_id

    @property
    def is_broken(self) -> bool:
        """Say whether the check failed or could not run."""
        return is_broken(self)


@dataclass(frozen=True)
class Decision:
    """The decision and what it rests on; `reasons` is empty exactly when the build passed."""

    checks_declared: int
    checks_evaluated: int
    critical_failed: int
    warning_failed: int
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Say whether the build may be published."""
        return not self.reasons

    @property
    def verdict(self) -> str:
        """Give the decision in the word that is kept: passed or refused."""
        return "passed" if self.passed else "refused"


def is_broken(result: Result) -> bool:
    """Say whether a check failed or could not run."""
    return result.outcome in (Outcome.FAILED, Outcome.ERROR)


def decide(declared: Iterable[tuple[str, str]], results: Iterable[Result]) -> Decision:
    """Decide from the checks that were `declared`, each as (suite, check id), and the `results` that came.

    Refused when nothing was declared; when a declared check has no result, or has two, or one came that
    nobody declared, so that a surplus cannot hide a gap; or when a critical check failed or could not run. A
    check that could not run counts as evaluated: its severity decides.
    """
    wanted = Counter(declared)
    came = list(results)
    found = Counter(result.name for result in came)
    critical = [result for result in came if is_broken(result) and result.severity is Severity.CRITICAL]
    warning = [result for result in came if is_broken(result) and result.severity is Severity.WARNING]
    reasons = []
    if not wanted:
        reasons.append("no check was declared")
    if missing := (wanted - found).total():
        reasons.append(f"{missing} of {wanted.total()} declared checks were not evaluated")
    if surplus := (found - wanted).total():
        reasons.append(f"{surplus} results belong to no declared check")
    if failed := sum(result.outcome is Outcome.FAILED for result in critical):
        reasons.append(f"{failed} critical {_checks(failed)} failed")
    if errors := sum(result.outcome is Outcome.ERROR for result in critical):
        reasons.append(f"{errors} critical {_checks(errors)} could not run")
    return Decision(wanted.total(), len(came), len(critical), len(warning), tuple(reasons))


def _checks(count: int) -> str:
    return "check" if count == 1 else "checks"
