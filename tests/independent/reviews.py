"""Measures of reviews and of what they changed in people's packages."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from tests.independent.calendar import DAY, plus_months
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import kinds_that, seed, variables
from tests.independent.people import Person
from tests.independent.services import Service
from tests.independent.steps import Step, is_review


@dataclass(frozen=True)
class Review:
    """A completed review of one person: "a review of two people counts for each of them"."""

    person: Person
    day: date
    step: Step


@cache
def reviews(council: Council) -> dict[Person, list[Review]]:
    """Give each person's completed reviews, oldest first, of one day by step number."""
    found: dict[Person, list[Review]] = defaultdict(list)
    for step in council.steps:
        if is_review(step) and step.held is not None:
            for person in step.people:
                found[person].append(Review(person, step.held, step))
    for each in found.values():
        each.sort(key=lambda review: (review.day, review.step.step))
    return found


def k001(council: Council) -> Iterator[Counted]:
    """K001: "Share of people with long-term support open at the month end who had a completed review, planned or
    unplanned, dated in the 12 months up to it".

    "The 12 months are whole calendar months: at 31 October 2018 reviews of 1 November 2017 to 31 October 2018 count".
    "Broken down by the team of the latest completed review up to the month end, however long ago (of several on that day
    the step with the highest number; unknown where there was none)".
    """
    assert variables()["k001_minimum_support_months"] == 0, "people with less support are not left out here"
    long_term = kinds_that("is_long_term")
    for ending in council.month_ends:
        since = plus_months(ending, -11)
        for person, rows in council.services_of.items():
            if any(row.kind in long_term and row.on(ending) for row in rows):
                before = [review for review in reviews(council).get(person, ()) if review.day <= ending]
                is_recent = bool(before) and before[-1].day >= since
                team = before[-1].step.team if before else None
                yield Counted(ending, int(is_recent), 1, person=person, team=team)


def package_on(rows: list[Service], day: date) -> list[Service]:
    """Give "all long-term services in force that day (setting_hierarchy) and those short-term ones that have a price"."""
    return [row for row in rows if row.on(day) and belongs_to_package(row)]


def belongs_to_package(row: Service) -> bool:
    """Tell long-term services and priced short-term ones from the rest."""
    return row.kind in kinds_that("is_long_term") or row.weekly is not None


def cost_of(package: list[Service]) -> Decimal | None:
    """Give "the sum of their weekly gross costs, unknown when any of them has no price"."""
    prices = [row.weekly for row in package]
    return None if None in prices else sum((price for price in prices if price is not None), Decimal(0))


def effective_day(review: Review, rows: list[Service], days_of_reviews: list[Review]) -> date | None:
    """Give the day on which a review's change took effect: "the first day of the earliest split that names the review's
    step and belongs to the person"; else the first day "from the day of the review to review_change_window_days (42) days
    counting that day, and before the day of the person's next completed review, on which the services change otherwise
    than by price alone and no split starts that names any step".

    "Of two reviews of a person on one day the one with the higher step number has the window, the other none."
    """
    named = [row.start for row in rows if row.step == review.step.step]
    if named:
        return min(named)
    same_day = [one.step.step for one in days_of_reviews if one.day == review.day]
    if review.step.step < max(same_day):
        return None
    next_review = min((one.day for one in days_of_reviews if one.day > review.day), default=date.max)
    for after in range(variables()["review_change_window_days"]):
        day = review.day + timedelta(days=after)
        if day >= next_review:
            return None
        if changes_on(rows, day) and not any(row.start == day and row.step is not None for row in rows):
            return day
    return None


def changes_on(rows: list[Service], day: date) -> bool:
    """Tell whether services change otherwise than by price: "a split starts without being the next in time of its element
    with the same units, frequency, unit, carers, shares and service type on the day after the one before; or a split ended
    the day before without being so followed, unless its reason is died or hospital".
    """
    starting = [row for row in rows if row.start == day and belongs_to_package(row)]
    ended = [row for row in rows if row.end == day - DAY and belongs_to_package(row)]
    return any(not any(_goes_on(row, new) for row in ended) for new in starting) or any(
        row.reason not in {"died", "hospital"} and not any(_goes_on(row, new) for new in starting) for row in ended
    )


def _goes_on(before: Service, after: Service) -> bool:
    """Tell whether a split goes on as the next with nothing but another price."""

    def details(row: Service) -> tuple[object, ...]:
        shares = row.council_share, row.health_share, row.better_care_share
        return row.element, row.units, row.frequency, row.unit, row.carers, row.kind, shares

    return before.end + DAY == after.start and details(before) == details(after)


@dataclass(frozen=True)
class Outcome:
    """What became of the package at a review."""

    code: str  # reduced, same, increased, ended or not_known
    before: Decimal | None
    after: Decimal | None


def outcome(council: Council, review: Review) -> Outcome:
    """Compare the packages: "the package before is that of the day before, or, where there is none, the latest one, if at
    most package_gap_days (28) empty days lie between its last day and the effective day; the package after is that of the
    effective day, or, where there is none, the first to start within package_gap_days (28) days after it"; "With no effective
    day the package of the day of the review is both before and after". "A package has ended when there is one before and
    none after, which can be told where the cost before was unknown too".
    """
    rows = [row for row in council.services_of.get(review.person, ()) if belongs_to_package(row)]
    everything = council.services_of.get(review.person, [])
    day = effective_day(review, everything, reviews(council)[review.person])
    if day is None:
        was = became = package_on(rows, review.day)
    else:
        gap = variables()["package_gap_days"]
        was, became = package_on(rows, day - DAY), package_on(rows, day)
        if not was:
            latest = max((row.end for row in rows if row.end < day), default=date.min)
            was = package_on(rows, latest) if (day - latest).days - 1 <= gap else []
        if not became:
            first = min((row.start for row in rows if row.start > day), default=date.max)
            became = package_on(rows, first) if (first - day).days <= gap else []
    before, after = cost_of(was), cost_of(became)
    if not was:
        code = "not_known"
    elif not became:
        code = "ended"
    elif before is None or after is None:
        code = "not_known"
    else:
        code = "reduced" if after < before else "increased" if after > before else "same"
    return Outcome(code, before, after)


def _targeted(council: Council) -> list[Review]:
    """Give the targeted reviews: "those whose step type the council marks so"."""
    return [review for each in reviews(council).values() for review in each if review.step.is_targeted]


def k004(council: Council) -> Iterator[Counted]:
    """K004: "Weekly gross cost of the package before less after: negative where a review raised it; after a package that
    ended it is 0"; of "outcome reduced, same, increased, or ended with a known cost before".
    """
    for review in _targeted(council):
        found = outcome(council, review)
        if found.code != "not_known" and found.before is not None and found.after is not None:
            saved = found.before - found.after
            if saved > 0 or not variables()["k004_only_reductions"]:
                yield Counted(review.day, saved, 1, person=review.person, team=review.step.team)


def k005(council: Council) -> Iterator[Counted]:
    """K005: "Reviews of the denominator with the outcome reduced", of those "with a known outcome: reduced, same, increased
    or ended".
    """
    falls = {"reduced", "ended"} if variables()["k005_counts_ended"] else {"reduced"}
    for review in _targeted(council):
        code = outcome(council, review).code
        if code != "not_known":
            yield Counted(review.day, int(code in falls), 1, person=review.person, team=review.step.team)


def k006(council: Council) -> Iterator[Counted]:
    """K006: "Completed targeted reviews, one for each person reviewed"."""
    for review in _targeted(council):
        yield Counted(review.day, 1, person=review.person, team=review.step.team)


def _words(text: str) -> str:
    """Write words as they are compared: "in small letters with every run of other characters than letters and digits as
    one space".
    """
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def k067(council: Council) -> Iterator[Counted]:
    """K067: reviews "held otherwise than face to face", of those "whose form says how they were held in words that the
    seed review_methods knows".
    """
    known = {
        (_words(row["question_code"]), _words(row["answer_key"])): row["is_alternative"].lower() == "true"
        for row in seed("review_methods")
    }
    for each in reviews(council).values():
        for review in each:
            answers = {(_words(question), _words(answer)) for question, answer in review.step.choices.items()}
            found = [known[one] for one in answers if one in known]
            if found:
                assert len(found) == 1, "two questions say how the review was held"
                yield Counted(review.day, int(found[0]), 1, person=review.person, team=review.step.team)
