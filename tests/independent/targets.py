"""Targets, targets to date, and how a figure stands against them."""

from datetime import date
from decimal import Decimal
from math import floor
from typing import NamedTuple

from tests.independent.calendar import financial_year
from tests.independent.care import Council
from tests.independent.definitions import Measure, projects_of, seed
from tests.independent.income import period_number
from tests.independent.programme import version_in_force


class Aim(NamedTuple):
    """What a figure is held against, and how it stands."""

    target: Decimal | None
    target_to_date: Decimal | None
    status: str | None


def annual_target(council: Council, measure: Measure, ending: date) -> Decimal | None:
    """Give the annual target in force at a month end: "that of the versions of savings targets approved by then, where a
    measure has one, else that of kpi_targets for the financial year".

    Of K003 it is "that of the next financial year", of K021 "the sum of all years' targets", of the others the year's own.
    """
    code, year = council.folder.name, financial_year(ending)
    if any(str(need["dataset"]).startswith("project_of_") for need in measure.needs):
        if measure.measure_id == "K003":
            year = financial_year(date(ending.year + 1, ending.month, 1))
        versions = [version_in_force(council, project, ending) for project in projects_of(measure.measure_id, code)]
        stated = [
            target
            for version in versions
            for of_year, target in version.items()
            if of_year == year or measure.measure_id == "K021"
        ]
        if stated:
            return sum(stated, Decimal(0))
    listed = {(row["measure_id"], row["council_code"], row["financial_year"]): row for row in seed("kpi_targets")}
    row = listed.get((measure.measure_id, code, year))
    return Decimal(row["annual_target"]) if row else None


def target_to_date(measure: Measure, period_type: str, ending: date, target: Decimal | None) -> Decimal | None:
    """Give the target at the period end: "the annual target itself, or its share by months rounded down (R32), money to the
    penny. Empty for a month or quarter, unless the target is the same in each period".
    """
    if target is None or measure.target_basis == "none":
        return None
    if period_type == "month" and measure.target_basis != "same_each_period":
        return None
    if measure.target_basis != "spread_evenly":
        return target
    parts = 100 if measure.is_money else 1
    return Decimal(floor(target * parts * period_number(ending) / 12)) / parts


def status(measure: Measure, value: Decimal | None, due: Decimal | None) -> str | None:
    """Tell whether a figure is "met, within_tolerance or not_met against the target to date; empty without a target or a
    direction. A measure that is a distance from its target is met at 0".
    """
    if value is None or due is None or measure.polarity == "neither":
        return None
    short = value - (0 if measure.formula == "above_target" else due)
    if measure.polarity == "high":
        short = -short
    elif measure.polarity == "maintain":
        short = abs(short)
    return "met" if short <= 0 else "within_tolerance" if short <= measure.tolerance else "not_met"


def aim(
    council: Council, measure: Measure, period_type: str, ending: date, value: Decimal | None, stated: Decimal | None
) -> Aim:
    """Give what stands beside the council's figure of a period; without a target of the council's own, that which the
    paper of the period states.
    """
    target = annual_target(council, measure, ending)
    target = stated if target is None else target
    due = target_to_date(measure, period_type, ending, target)
    return Aim(target, due, status(measure, value, due))
