"""How single contributions become figures: by period, breakdown and formula, as the registry says."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from tests.independent.calendar import first_day_of, month_start, plus_months, same_month_of, year_start
from tests.independent.definitions import Measure
from tests.independent.people import People, Person

Number = int | Decimal | Fraction


@dataclass(frozen=True)
class Counted:
    """What one event, or one member of a snapshot, adds to a measure on a day."""

    day: date
    numerator: Number
    denominator: Number | None = None
    person: Person | None = None
    team: str | None = None
    other: str | None = None
    known_on: date | None = None  # the day of age and support reason, where it is not the day counted


class Which(NamedTuple):
    """Which figure it is."""

    measure_id: str
    period_type: str
    period_end: date
    breakdown_type: str
    breakdown_value: str


class Figure(NamedTuple):
    """What stands in it, each rounded once, halves away from zero."""

    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None


@dataclass
class Sum:
    """Contributions added up, exactly."""

    numerator: Fraction = Fraction(0)
    denominator: Fraction = Fraction(0)

    def add(self, numerator: Number, denominator: Number | None) -> None:
        self.numerator += Fraction(numerator)
        self.denominator += Fraction(denominator or 0)


def rounded(exact: Number) -> Decimal:
    """Round to two decimals, halves away from zero."""
    fraction = Fraction(exact) * 100
    whole = (Decimal(abs(fraction.numerator)) / fraction.denominator).quantize(Decimal(1), ROUND_HALF_UP)
    return (whole if fraction >= 0 else -whole) / 100


def breakdowns_of(measure: Measure, council: str, people: People, counted: Counted) -> list[tuple[str, str]]:
    """Give the breakdowns a contribution falls into: the council always, and those the registry lists; "unknown" where
    the contribution does not say.
    """
    day = counted.known_on or counted.day
    found = [("council", council)]
    for one in measure.breakdowns:
        if one == "age_band":
            value = people.age_band(counted.person, day)
        elif one == "support_reason":
            value = people.support_reason(counted.person, day)
        else:
            value = (counted.team if one == "team" else counted.other) or "unknown"
        found.append((one, value))
    return found


def window(period_type: str, ending: date) -> tuple[date, date]:
    """Give the days that a period holds."""
    first = {
        "month": month_start(ending),
        "year_to_date": year_start(ending),
        "financial_year": year_start(ending),
        "rolling_12_months": plus_months(ending, -11),
        "month_end": ending,
    }
    return first[period_type], ending


Sums = dict[tuple[str, str], Sum]


def sums(measure: Measure, council: str, people: People, rows: Iterable[Counted]) -> dict[date, Sums]:
    """Add contributions up by day and breakdown."""
    by_day: dict[date, Sums] = defaultdict(lambda: defaultdict(Sum))
    for counted in rows:
        for breakdown in breakdowns_of(measure, council, people, counted):
            by_day[counted.day][breakdown].add(counted.numerator, counted.denominator)
    return by_day


def total(by_day: dict[date, Sums], first: date, last: date) -> Sums:
    """Add days up to a period."""
    added: Sums = defaultdict(Sum)
    for day, several in by_day.items():
        if first <= day <= last:
            for breakdown, one in several.items():
                added[breakdown].add(one.numerator, one.denominator)
    return added


def figures(
    measure: Measure,
    council: str,
    people: People,
    rows: Iterable[Counted],
    shown: Callable[[Measure, str], Iterable[date]],
    base_year: str | None,
    target: Callable[[date], Decimal | None],
) -> dict[Which, Figure]:
    """Give every figure of a measure that may be shown: "for each period that the extracts cover, the council's own figure
    always and one for each part of it that occurs in the period".
    """
    by_day = sums(measure, council, people, rows)
    found: dict[Which, Figure] = {}
    for period_type in measure.periods:
        for ending in shown(measure, period_type):
            added = total(by_day, *window(period_type, ending))
            base: Sums = {}
            if base_year is not None:
                base = total(by_day, *window(period_type, same_month_of(base_year, ending)))
            if measure.formula == "above_base_year_cumulative":
                base = cumulative(by_day, base_year or "", ending)
            for breakdown in {("council", council), *added, *base}:
                which = Which(measure.measure_id, period_type, ending, *breakdown)
                aim = target(ending) if measure.formula == "above_target" else None
                found[which] = figure(measure, added.get(breakdown, Sum()), base.get(breakdown, Sum()), aim)
    return found


def figure(measure: Measure, added: Sum, base: Sum, target: Decimal | None) -> Figure:
    """Apply the formula."""
    numerator = rounded(added.numerator)
    denominator = rounded(added.denominator) if measure.has_denominator else None
    if measure.formula in {"percent", "average"}:
        times = 100 if measure.formula == "percent" else 1
        value = rounded(times * added.numerator / added.denominator) if added.denominator else None
        return Figure(numerator, denominator, value)
    if measure.formula.startswith("above_base_year"):
        return Figure(numerator, None, rounded(added.numerator - base.numerator))
    if measure.formula == "below_base_year":
        return Figure(numerator, None, rounded(base.numerator - added.numerator))
    if measure.formula == "above_target":
        return Figure(numerator, None, None if target is None else rounded(added.numerator - Fraction(target)))
    assert measure.formula == "total", f"no rule for {measure.formula}"
    return Figure(numerator, denominator, numerator)


def cumulative(by_day: dict[date, Sums], base_year: str, ending: date) -> Sums:
    """Give what is to be taken off the year to date, so that what is left is K008's "additional completions (K007) of each
    whole financial year since, and of the present one to date, added up".
    """
    taken: Sums = defaultdict(Sum)
    base_first = first_day_of(base_year)
    for breakdown, one in total(by_day, base_first, same_month_of(base_year, ending)).items():
        taken[breakdown].numerator += one.numerator
    for year in range(base_first.year + 1, year_start(ending).year):
        for breakdown, one in total(by_day, date(year, 4, 1), date(year + 1, 3, 31)).items():
            taken[breakdown].numerator -= one.numerator
        for breakdown, one in total(by_day, base_first, date(base_first.year + 1, 3, 31)).items():
            taken[breakdown].numerator += one.numerator
    return taken
