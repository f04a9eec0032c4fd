"""Measures of direct payments."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import NamedTuple

from tests.independent.calendar import OPEN
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import variables
from tests.independent.extracts import Row
from tests.independent.people import Person


class Package(NamedTuple):
    """A direct payment in force from its first to its last day."""

    person: Person
    start: date
    end: date
    recorded_end: date | None
    versions: tuple[tuple[date, Row], ...]  # each with the day from which it was known, oldest first

    def on(self, day: date) -> bool:
        return self.start <= day <= self.end

    def known_on(self, day: date) -> Row:
        """Give the row "from the newest version of the row known by that day, and from the first version known when none
        was".
        """
        return [row for known, row in self.versions if known <= day or known == self.versions[0][0]][-1]


@cache
def packages(council: Council) -> list[Package]:
    """Give the packages: "in force from its first to its last day, both counted, ended by death at the latest; rows that
    end before they start and rows of people not in the persons extract do not count".
    """
    versions = defaultdict(list)
    for day, rows in council.extracts.deliveries("mosaic.direct_payments"):
        for row in rows:
            versions[row.direct_payment_ref].append((day, row))
    found = []
    for row in council.extracts.rows("mosaic.direct_payments"):
        person = council.people.of(row.person_ref)
        if person is not None:
            end = min(row.end_date or OPEN, council.people.known[person].died)
            if row.start_date <= end:
                known = tuple(versions[row.direct_payment_ref])
                found.append(Package(person, row.start_date, end, row.end_date, known))
    return found


def k031(council: Council) -> Iterator[Counted]:
    """K031: "Share of direct payment packages in force on the month end that employ a personal assistant, as known on the
    month end".
    """
    assert variables()["k031_basis"] == "stock", "the flow is not worked out here"
    for ending in council.month_ends:
        for package in packages(council):
            if package.on(ending):
                has_assistant = package.known_on(ending).employs_personal_assistant
                yield Counted(ending, int(has_assistant), 1, person=package.person)


def k068(council: Council) -> Iterator[Counted]:
    """K068: "Share of direct payment packages in force on the month end that are held on a pre-paid card"."""
    for ending in council.month_ends:
        for package in packages(council):
            if package.on(ending):
                yield Counted(ending, int(package.known_on(ending).is_on_prepaid_card), 1, person=package.person)


def k032(council: Council) -> Iterator[Counted]:
    """K032: "Every sum of the register counts", "by the day the money came back"."""
    for row in council.extracts.rows("registers.direct_payment_recoupments"):
        yield Counted(row.recouped_date, row.recouped_gbp, other=row.reason_code)
