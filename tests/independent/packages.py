"""Measures of hours and carers in people's packages."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import variables
from tests.independent.short_term import referrals

WEEKS = {"weekly": 1, "four_weekly": 4}


def k069(council: Council) -> Iterator[Counted]:
    """K069: hours a week "in services of the types supported living and residential that are priced by the hour": "units a
    week, or a quarter of the units of four weeks"; "nor are services without units".
    """
    for ending in council.month_ends:
        for row in council.services:
            by_the_hour = row.kind in {"supported_living", "residential"} and row.unit == "hour"
            if by_the_hour and row.on(ending) and row.units is not None and row.frequency is not None:
                hours = Fraction(row.units) / WEEKS[row.frequency]
                yield Counted(ending, hours, person=row.person, other=row.kind)


def k070(council: Council) -> Iterator[Counted]:
    """K070: "Splits with one carer per visit whose element's split before, by number, has two or more, counted on the first
    day of the split with one, where the element is a discharge package": "an element whose earliest split begins on the day
    of one of the person's discharges from hospital or within discharge_package_days (7) days after it".
    """
    reach = timedelta(days=variables()["discharge_package_days"])
    left = defaultdict(list)
    for one in referrals(council):
        if one.discharged is not None:
            left[one.person].append(one.discharged)
    elements = defaultdict(list)
    for row in council.services:
        elements[row.element].append(row)
    for rows in elements.values():
        rows.sort(key=lambda row: row.split)
        begins = min(row.start for row in rows)
        if any(day <= begins <= day + reach for day in left[rows[0].person]):
            for before, after in itertools.pairwise(rows):
                if after.carers == 1 and (before.carers or 0) >= 2:
                    yield Counted(after.start, 1, person=after.person)
