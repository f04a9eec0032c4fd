"""Judges deliveries: measures, has the figures evaluated, decides, and says it to a person."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from carehouse.arrival import ArrivalCheck, Arrived, Judgement, Tables
from expectations.arrival.evaluate import EvaluationError, Evaluator, Question
from expectations.arrival.kinds import Bounds, DoesNotApplyError, Figure
from expectations.arrival.suite import SUITES, ArrivalSuites, Check, load
from expectations.counts import Counts
from expectations.verdict import Decision, Outcome, Severity, decide, is_broken

ARRIVAL = "arrival"


@dataclass(frozen=True)
class _Result:
    check: Check
    outcome: Outcome
    bounds: Bounds
    figures: Sequence[Figure] = ()
    counts: Counts | None = None
    reason: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        return ARRIVAL, self.check.id

    @property
    def severity(self) -> Severity:
        return self.check.severity

    @property
    def furthest(self) -> Figure | None:
        """Give the figure furthest beyond its bounds, or else nearest to them."""
        return max(self.figures, key=lambda figure: self.bounds.excess(figure.value), default=None)


class ArrivalJudge:
    """Judges each delivery of a run by the checks of its table."""

    def __init__(self, suites: ArrivalSuites, evaluator: Evaluator) -> None:
        """Judge by `suites`, whose figures `evaluator` holds against their bounds."""
        self._suites = suites
        self._evaluator = evaluator

    def prepare(self) -> None:
        """Let Great Expectations be imported while the file is read."""
        try:
            self._evaluator.start()
        except OSError:
            # Whoever asks will be told.
            return

    def judge(self, arrived: Arrived) -> Judgement:
        """Judge one delivery: every declared check must come to an outcome, and no critical one may be broken.

        A check that could not be evaluated is an error, never passed.
        """
        declared = self._suites.checks(arrived.table)
        results = self._results(declared, arrived)
        decision = decide(((ARRIVAL, check.id) for check in declared), results)
        return Judgement(
            tuple(_kept(result, arrived) for result in results),
            None if decision.passed else _refusal(decision, results),
            tuple(_in_words(each) for each in results if is_broken(each) and each.severity is Severity.WARNING),
        )

    def _results(self, declared: Sequence[Check], arrived: Arrived) -> list[_Result]:
        results: dict[str, _Result] = {}
        measured: dict[str, tuple[Check, list[Figure], Bounds]] = {}
        for check in declared:
            bounds = check.thresholds.bounds(arrived)
            try:
                figures = check.thresholds.figures(arrived)
            except DoesNotApplyError as why:
                results[check.id] = _Result(check, Outcome.NOT_APPLICABLE, bounds, reason=str(why))
                continue
            if figures:
                measured[check.id] = (check, figures, bounds)
            else:
                words = "the table has nothing that the check is about"
                results[check.id] = _Result(check, Outcome.NOT_APPLICABLE, bounds, reason=words)
        answers: dict[str, Counts] = {}
        unanswered = "Great Expectations gave no answer to this check"
        if measured:
            try:
                answers = self._evaluator.ask(
                    {
                        name: Question([figure.value for figure in figures], bounds)
                        for name, (_, figures, bounds) in measured.items()
                    }
                )
            except EvaluationError as error:
                unanswered = str(error)
        for name, (check, figures, bounds) in measured.items():
            results[name] = _result(check, figures, bounds, answers.get(name), unanswered)
        return [results[check.id] for check in declared if check.id in results]


@contextmanager
def open_judge(tables: Tables, folder: Path = SUITES) -> Iterator[ArrivalJudge]:
    """Give a judge for one run. `tables` are those that have a contract.

    Raises:
        SuiteError: a suite cannot be relied upon.
    """
    suites, evaluator = load(tables, folder), Evaluator()
    try:
        yield ArrivalJudge(suites, evaluator)
    finally:
        evaluator.close()


def _result(check: Check, figures: list[Figure], bounds: Bounds, counts: Counts | None, why: str) -> _Result:
    if counts is None or counts.error:
        return _Result(check, Outcome.ERROR, bounds, reason=counts.error if counts else why)
    if counts.checked != len(figures):
        words = f"{counts.checked} of {len(figures)} figures were looked at"
        return _Result(check, Outcome.ERROR, bounds, figures, counts, words)
    outcome = Outcome.PASSED if counts.success and counts.failed == 0 else Outcome.FAILED
    return _Result(check, outcome, bounds, figures, counts)


def _kept(result: _Result, arrived: Arrived) -> ArrivalCheck:
    furthest, counts = result.furthest, result.counts
    return ArrivalCheck(
        check_id=result.check.id,
        kind=result.check.kind,
        severity=result.severity,
        outcome=result.outcome,
        measured=furthest.value if furthest else None,
        threshold=result.bounds.in_words,
        subject=furthest.subject if furthest else None,
        subjects_checked=counts.checked if counts else None,
        subjects_failed=counts.failed if counts else None,
        says=result.check.says,
        owner=result.check.owner or arrived.whom_to_ask,
        reason=result.reason or (furthest.found if furthest and is_broken(result) else None),
    )


def _refusal(decision: Decision, results: Sequence[_Result]) -> str:
    broken = [_in_words(each) for each in results if is_broken(each) and each.severity is Severity.CRITICAL]
    # What is wrong with the delivery says more than how many checks say so.
    return " ".join(broken) or f"{'; '.join(decision.reasons)}."


def _in_words(result: _Result) -> str:
    """Say which check, how far off the furthest figure is, what is allowed, and whom to ask where that is special."""
    owner = f", ask {result.check.owner}" if result.check.owner else ""
    furthest = result.furthest
    if result.outcome is Outcome.ERROR or furthest is None:
        return f"{result.check.id}: could not be checked, {result.reason}{owner}."
    others = (result.counts.failed or 1) - 1 if result.counts else 0
    more = f", and {others} more like it" if others else ""
    return f"{result.check.id}: {furthest.found}{more}; allowed: {result.bounds.in_words}{owner}."
