"""Statistical process control (XmR) of monthly series, from the written rules (reference: spc_rules)."""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tests.independent.counting import Figure, Which, rounded
from tests.independent.definitions import Measure, variables


class Point(NamedTuple):
    """What a chart says of one point."""

    centre: Decimal
    lower_limit: Decimal
    upper_limit: Decimal
    signal: str


Series = tuple[str, str, str, str]  # measure, period type, breakdown type and value


def has_chart(measure: Measure, period_type: str) -> bool:
    """Tell which series have one: "Not of years to date, rolling periods, measures that look back over more than the month
    or that the registry keeps off charts".
    """
    looks_back = any(int(need.get("months", 1)) > 1 for need in measure.needs)
    return period_type in {"month", "month_end"} and measure.is_charted and not looks_back


def charts(figures: Mapping[Which, Figure], registry: Mapping[str, Measure]) -> dict[Which, Point]:
    """Chart "each monthly series with at least spc_minimum_points values", but none "that never moves"."""
    series: dict[Series, dict[date, Decimal]] = defaultdict(dict)
    for which, figure in sorted(figures.items()):
        if figure.value is not None and has_chart(registry[which.measure_id], which.period_type):
            of = (which.measure_id, which.period_type, which.breakdown_type, which.breakdown_value)
            series[of][which.period_end] = figure.value
    found: dict[Which, Point] = {}
    for (measure_id, period_type, *breakdown), values in series.items():
        if len(values) >= variables()["spc_minimum_points"] and len(set(values.values())) > 1:
            points = chart([Fraction(value) for value in values.values()])
            for ending, point in zip(values, points, strict=True):
                found[Which(measure_id, period_type, ending, *breakdown)] = point
    return found


def chart(values: list[Fraction]) -> list[Point]:
    """Chart one series: "mean +/- 2.66 x mean moving range (XmR)"; "moving ranges at or above 3.267 x average moving range
    dropped before computing limits", unless spc_screens_outliers is false or no others have a width.
    """
    mean = sum(values, Fraction(0)) / len(values)
    ranges = [abs(after - before) for before, after in itertools.pairwise(values)]
    average = sum(ranges, Fraction(0)) / len(ranges)
    kept = [one for one in ranges if one < Fraction("3.267") * average]
    if variables()["spc_screens_outliers"] and any(kept):
        average = sum(kept, Fraction(0)) / len(kept)
    reach = Fraction("2.66") * average
    limits = rounded(mean), rounded(mean - reach), rounded(mean + reach)
    return [Point(*limits, signal) for signal in signals([value - mean for value in values], reach)]


def signals(deviations: list[Fraction], reach: Fraction) -> list[str]:
    """Give the first special cause that each point belongs to, by precedence: outside limits ("one point beyond a process
    limit"), trend ("seven points each higher (or lower) than the one before; equal neighbours break it; all seven are
    flagged"), two in three ("two of three consecutive points near a limit, all three on one side of the mean; only the near
    points are flagged"; near is between two thirds of the way and the limit, as in the rule's source), shift ("seven points on one side of the mean; all flagged").
    """
    found: list[set[str]] = [set() for _ in deviations]
    for place, deviation in enumerate(deviations):
        if abs(deviation) > reach:
            found[place].add("outside_limits")
    for first in range(len(deviations) - 6):
        seven = deviations[first : first + 7]
        steps = [after - before for before, after in itertools.pairwise(seven)]
        if all(step > 0 for step in steps) or all(step < 0 for step in steps):
            for place in range(first, first + 7):
                found[place].add("trend")
        if all(one > 0 for one in seven) or all(one < 0 for one in seven):
            for place in range(first, first + 7):
                found[place].add("shift")
    for first in range(len(deviations) - 2):
        three = deviations[first : first + 3]
        near = [place for place in range(first, first + 3) if reach * 2 / 3 < abs(deviations[place]) <= reach]
        if (all(one > 0 for one in three) or all(one < 0 for one in three)) and len(near) >= 2:
            for place in near:
                found[place].add("two_in_three")
    order = ("outside_limits", "trend", "two_in_three", "shift")
    return [next((cause for cause in order if cause in each), "common_cause") for each in found]
