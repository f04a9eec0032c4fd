"""What the days of people's packages cost, and who pays."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tests.independent.calendar import DAY, OPEN, days_between, month_start
from tests.independent.care import Council
from tests.independent.counting import rounded
from tests.independent.coverage import held_from
from tests.independent.definitions import number_of_kinds
from tests.independent.people import Person
from tests.independent.placements import assessments_of, contribution_on
from tests.independent.reviews import belongs_to_package
from tests.independent.services import Service


class Package(NamedTuple):
    """A person's package on a day: the setting, and what a week of it costs; no amount is known while a service has no
    price.
    """

    setting: str
    services: int
    unpriced: int
    gross: Decimal | None = None
    health: Decimal | None = None
    better_care: Decimal | None = None
    contribution: Decimal | None = None


class Slice(NamedTuple):
    """Days on end in one month on which the package stays the same."""

    person: Person
    first: date
    last: date
    package: Package


class Cell(NamedTuple):
    """One month of one setting, age band and support reason."""

    month_end: date
    setting: str
    age_band: str
    support_reason: str


@dataclass
class Cost:
    """What a cell holds, exactly."""

    people: int = 0
    unpriced_people: int = 0
    days: int = 0
    unpriced_days: int = 0
    amounts: list[Fraction] = field(
        default_factory=lambda: [Fraction(0)] * 4
    )  # gross, health, better care, contribution

    def published(self) -> tuple[int | Decimal, ...]:
        """Give what is shown: each amount, and what remains for the council, rounded once."""
        gross, health, better_care, contribution = self.amounts
        net = gross - health - better_care - contribution
        counts = (self.people, self.unpriced_people, self.days, self.unpriced_days)
        return (*counts, *map(rounded, (*self.amounts, net)))


def package_on(council: Council, rows: list[Service], person: Person, day: date) -> Package | None:
    """Give the package of a day: "all long-term services in force on a day, and those short-term ones that have a price";
    its setting is "of the kinds of service in force, the one that dim_setting puts first"; the contribution "the assessed
    amount, or all of the council's share where they pay the whole cost; never more than that share".
    """
    here = [row for row in rows if row.on(day)]
    if not here:
        return None
    setting = min((row.kind for row in here), key=number_of_kinds("overlap_priority").__getitem__)
    prices = [(row.weekly, row) for row in here if row.weekly is not None]
    if len(prices) < len(here):
        return Package(setting, len(here), len(here) - len(prices))
    gross = sum((weekly for weekly, _ in prices), Decimal(0))
    health = sum((_share(weekly, row.health_share) for weekly, row in prices), Decimal(0))
    better_care = sum((_share(weekly, row.better_care_share) for weekly, row in prices), Decimal(0))
    ours = gross - health - better_care
    assessed, is_full_cost = contribution_on(council, person, day) or (Decimal(0), False)
    contribution = ours if is_full_cost else min(assessed or Decimal(0), ours)
    return Package(setting, len(here), 0, gross, health, better_care, contribution)


def _share(weekly: Decimal, percent: Decimal | None) -> Decimal:
    """Take a share of one row's cost, "rounded to the penny, half a penny up"."""
    return rounded(Fraction(weekly) * Fraction(percent or 0) / 100)


def slices(council: Council) -> Iterator[Slice]:
    """Cut every package into the months that are shown: none "before the services are held whole"."""
    held = held_from(council, "services")
    months = [(month_start(ending), ending) for ending in council.month_ends if held and held <= month_start(ending)]
    for person, all_rows in council.services_of.items():
        rows = [row for row in all_rows if belongs_to_package(row)]
        paid = [one for one in assessments_of(council).get(person, ()) if one.effective_date is not None]
        edges = {row.start for row in rows} | {row.end + DAY for row in rows}
        edges |= {one.effective_date for one in paid} | {(one.end_date or OPEN) + DAY for one in paid}
        for first, ending in months:
            if not any(row.start <= ending and row.end >= first for row in rows):
                continue
            begins = sorted({first} | {edge for edge in edges if first < edge <= ending})
            found: list[Slice] = []
            for start, end in zip(begins, [*(day - DAY for day in begins[1:]), ending], strict=True):
                package = package_on(council, rows, person, start)
                if package is None:
                    continue
                if found and found[-1].package == package and found[-1].last + DAY == start:
                    found[-1] = found[-1]._replace(last=end)
                else:
                    found.append(Slice(person, start, end, package))
            yield from found


def package_costs(council: Council) -> dict[Cell, Cost]:
    """Add slices up: days "at a seventh of a week each"; age band and support reason are those "on the last day of the
    slice"; people are those "with a package on the last day of the month".
    """
    found: dict[Cell, Cost] = defaultdict(Cost)
    endings = {month_start(ending): ending for ending in council.month_ends}
    for person, first, last, package in slices(council):
        ending = endings[month_start(first)]
        bands = council.people.age_band(person, last), council.people.support_reason(person, last)
        cost, days = found[Cell(ending, package.setting, *bands)], days_between(first, last)
        is_unpriced, is_at_end = package.unpriced > 0, last == ending
        cost.days += days
        cost.unpriced_days += days * is_unpriced
        cost.people += is_at_end
        cost.unpriced_people += is_at_end and is_unpriced
        weekly = (package.gross, package.health, package.better_care, package.contribution)
        cost.amounts = [
            total + Fraction(amount or 0) * days / 7 for total, amount in zip(cost.amounts, weekly, strict=True)
        ]
    return found
