"""Measures of discharge from hospital."""

from collections.abc import Iterator
from datetime import date, timedelta

from tests.independent.calendar import DAY
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import kinds_that, variables
from tests.independent.services import Service
from tests.independent.short_term import referrals


def k014(council: Council) -> Iterator[Counted]:
    """K014: "Mean planned gross weekly cost of the long-term packages that began on the day of a discharge from hospital
    or in the discharge_package_days (7) days after it, on their first day"; none without a price.
    """
    reach = timedelta(days=variables()["discharge_package_days"])
    left = {(one.person, one.discharged) for one in referrals(council) if one.discharged is not None}
    left_on = {person: [day for one, day in left if one == person] for person in {person for person, _ in left}}
    long_term = kinds_that("is_long_term")
    for person, discharged in left_on.items():
        rows = [row for row in council.services_of.get(person, ()) if row.kind in long_term]
        for first in _first_days(rows):
            if any(day <= first <= day + reach for day in discharged):
                prices = [row.weekly for row in rows if row.on(first)]
                if None not in prices:
                    yield Counted(first, sum(price for price in prices if price is not None), 1, person=person)


def _first_days(rows: list[Service]) -> list[date]:
    """Give the first days of "unbroken spells of long-term support (service rows that touch or overlap)": those on which
    a row begins and before which no row reaches.
    """
    return sorted(
        {row.start for row in rows if not any(one.start < row.start and one.end >= row.start - DAY for one in rows)}
    )
