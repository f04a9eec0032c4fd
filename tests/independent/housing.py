"""Measures of housing with care and of Shared Lives, from their registers."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from tests.independent.calendar import OPEN
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import variables
from tests.independent.extracts import Row
from tests.independent.placements import placed, setting_on, short_stay_elements


def configured_day(variable: str) -> date:
    """Give a day that is configuration."""
    return date.fromisoformat(str(variables()[variable]))


def in_use(unit: Row, day: date) -> bool:
    """Tell whether a unit is in use: "from the day it opened to the day before it was given back"."""
    return bool(unit.opened_date <= day < (unit.closed_date or OPEN))


def k023(council: Council) -> Iterator[Counted]:
    """K023: "Units in use at the month end, less those in use on the base date"."""
    base = configured_day("housing_with_care_base_date")
    for ending in council.month_ends:
        for unit in council.extracts.rows("registers.housing_units"):
            if in_use(unit, ending) or in_use(unit, base):
                yield Counted(ending, int(in_use(unit, ending)) - int(in_use(unit, base)), other=unit.scheme_name)


def k024(council: Council) -> Iterator[Counted]:
    """K024: "Units of the denominator with a void that covers the month end": "A void covers its first to its last day,
    both counted, or all days since its first while it is open".
    """
    voids = defaultdict(list)
    for row in council.extracts.rows("registers.housing_voids"):
        voids[row.unit_ref].append((row.start_date, row.end_date or OPEN))
    for ending in council.month_ends:
        for unit in council.extracts.rows("registers.housing_units"):
            if in_use(unit, ending):
                is_void = any(first <= ending <= last for first, last in voids[unit.unit_ref])
                yield Counted(ending, int(is_void), 1, other=unit.scheme_name)


def in_scheme(household: Row, day: date) -> bool:
    """Tell whether a household is in the scheme: "from the day it was approved to the day before it left"."""
    return bool((household.approved_date or OPEN) <= day < (household.ended_date or OPEN))


def k025(council: Council) -> Iterator[Counted]:
    """K025: "Approved Shared Lives households in the scheme at the month end, each counted once, under its main type"."""
    for ending in council.month_ends:
        for household in council.extracts.rows("registers.shared_lives_households"):
            if in_scheme(household, ending):
                yield Counted(ending, 1, other=household.main_type_code)


def k026(council: Council) -> Iterator[Counted]:
    """K026: "People whose long-term placement in force on the month end is Shared Lives, or who are in a short stay with
    Shared Lives on it".
    """
    short = short_stay_elements(council)
    for ending in council.month_ends:
        for person, rows in council.services_of.items():
            on_break = any(row.kind == "shared_lives" and row.element in short and row.on(ending) for row in rows)
            if on_break or setting_on(placed(council)[person], ending) == "shared_lives":
                yield Counted(ending, 1, person=person)


def k027(council: Council) -> Iterator[Counted]:
    """K027: "Long-term households at the month end, less those on the base date"."""
    base = configured_day("shared_lives_base_date")
    for ending in council.month_ends:
        for household in council.extracts.rows("registers.shared_lives_households"):
            if household.main_type_code == "long_term":
                yield Counted(ending, int(in_scheme(household, ending)) - int(in_scheme(household, base)))


def k028(council: Council) -> Iterator[Counted]:
    """K028: households "that left the scheme in the period and of whose carers at least one has resigned by the day the
    household left".
    """
    resigned = defaultdict(list)
    for carer in council.extracts.rows("registers.shared_lives_carers"):
        if carer.resigned_date is not None:
            resigned[carer.household_ref].append(carer.resigned_date)
    for household in council.extracts.rows("registers.shared_lives_households"):
        left = household.ended_date
        if household.approved_date and left and any(day <= left for day in resigned[household.household_ref]):
            yield Counted(left, 1, other=household.main_type_code)


def k029(council: Council) -> Iterator[Counted]:
    """K029: "Waiting: applied on or before the month end, and begun and ended after it or not yet. In progress: begun on
    or before it, and ended after it or not yet".
    """
    for ending in council.month_ends:
        for carer in council.extracts.rows("registers.shared_lives_carers"):
            if carer.applied_date <= ending < (carer.assessment_end_date or OPEN):
                has_begun = (carer.assessment_start_date or OPEN) <= ending
                yield Counted(ending, 1, other="in_progress" if has_begun else "waiting")
