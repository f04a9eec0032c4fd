"""An attacker who has everything the open marts ever said, and a solver: what can each count still be?

He knows the rules, that counts are whole and not negative, that parts add up to the council and months to longer
periods, that what is not listed in a breakdown is nobody and what is listed is somebody; and, of two publications,
which parts did not change between them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

# No table of a test counts as many.
ENOUGH = 100_000
Part = tuple[str, str]
Month = tuple[int, int]
Sum = dict[int, float]


@dataclass(frozen=True)
class Figure:
    """One row of the open figures. `counts` are the rounded numerator and, of a share, denominator; None: withheld."""

    table: str
    period_type: str
    period_end: date
    part: Part
    is_share: bool
    counts: tuple[int | None, ...]
    suppressed_below: int = 8
    rounded_to: int = 5
    publication: int = 1
    # By the rule alone whatever is withheld is small; in the open marts it may also stand beside a small one.
    is_known_small: bool = False

    @property
    def is_withheld(self) -> bool:
        """Whether no count of it is shown."""
        return self.counts[0] is None

    @property
    def is_whole(self) -> bool:
        """Whether it is the council's own figure."""
        return self.part[0] == "council"

    @property
    def months(self) -> tuple[Month, ...]:
        """The months whose contributions are added up in it; a month end stands for its own."""
        last = self.period_end.year * 12 + self.period_end.month - 1
        since_april = (self.period_end.month - 4) % 12
        length = {
            "year_to_date": since_april + 1,
            "financial_year": 12,
            "rolling_12_months": 12,
            "quarter": 3,
        }.get(self.period_type, 1)
        return tuple(divmod(month, 12) for month in range(last - length + 1, last + 1))


@dataclass
class System:
    """Whole numbers within bounds, and sums of them within bounds."""

    upper: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)

    def unknown(self) -> int:
        """Add a count of which nothing is known."""
        self.upper.append(ENOUGH)
        return len(self.upper) - 1

    def between(self, total: Sum, least: float, most: float) -> None:
        """Say that a sum lies within bounds."""
        self.entries += [(len(self.least), unknown, times) for unknown, times in total.items()]
        self.least.append(least)
        self.most.append(most)

    def extreme(self, objective: Sum, sign: int) -> np.ndarray[Any, Any]:
        """Give the counts where the objective is least (sign 1) or greatest (sign -1)."""
        weights = np.zeros(len(self.upper))
        for unknown, times in objective.items():
            weights[unknown] += sign * times
        rows, columns, values = zip(*self.entries, strict=True) if self.entries else ((), (), ())
        matrix = coo_array((values, (rows, columns)), shape=(len(self.least), len(self.upper))).tocsr()
        solved = milp(
            weights,
            integrality=np.ones(len(self.upper)),
            bounds=Bounds(np.zeros(len(self.upper)), np.array(self.upper)),
            constraints=LinearConstraint(matrix, np.array(self.least), np.array(self.most)),
        )
        assert solved.success, f"nothing fits what was shown: {solved.message}"
        return np.round(solved.x)


@dataclass(frozen=True)
class Wanted:
    """A count that the attacker is after: of which figure, which count (numerator, denominator, rest), as a sum."""

    figure: Figure
    count: str
    total: Sum


class Attack:
    """Everything that was shown of one table, as equations."""

    def __init__(self, figures: Sequence[Figure], unchanged: Callable[[Part, Month], bool] = lambda part, month: True):
        """Know `figures`, which may be of several publications, and which parts did not change between them."""
        self.system = System()
        self.known: dict[tuple[int, Part, Month, str], int] = {}
        self.figures = figures
        self.names = ("numerator", "rest") if figures[0].is_share else ("numerator",)
        for figure in figures:
            self._learn(figure)
        for window in self._windows():
            self._add_up(window)
        for publication, part, month, name in list(self.known):
            earlier = self.known.get((publication - 1, part, month, name))
            if earlier is not None and part[0] != "council" and unchanged(part, month):
                self.system.between({earlier: 1, self.known[publication, part, month, name]: -1}, 0, 0)

    def total(self, figure: Figure, count: str) -> Sum:
        """Give a count of a figure as a sum of months."""
        names = self.names if count == "denominator" else (count,)
        return {self._count(figure, month, name): 1 for name in names for month in figure.months}

    def wanted(self, figures: Iterable[Figure]) -> list[Wanted]:
        """List every count of the figures."""
        names = (*self.names, "denominator") if self.figures[0].is_share else self.names
        return [Wanted(figure, name, self.total(figure, name)) for figure in figures for name in names]

    def _count(self, figure: Figure, month: Month, name: str) -> int:
        key = (figure.publication, figure.part, month, name)
        if key not in self.known:
            self.known[key] = self.system.unknown()
        return self.known[key]

    def _learn(self, figure: Figure) -> None:
        sides = [self.total(figure, "numerator")]
        if figure.is_share:
            sides.append(self.total(figure, "denominator"))
        for side, shown in zip(sides, figure.counts, strict=True):
            if shown is None:
                # A part is listed where somebody is counted in it.
                most = figure.suppressed_below - 1 if figure.is_known_small else ENOUGH
                self.system.between(sides[-1], 0 if figure.is_whole else 1, most)
            elif shown == 0:
                self.system.between(side, 0, 0)
            else:
                half = figure.rounded_to // 2
                self.system.between(side, max(shown - half, figure.suppressed_below), shown + half)

    def _windows(self) -> list[list[Figure]]:
        windows: dict[tuple[int, str, date], list[Figure]] = defaultdict(list)
        for figure in self.figures:
            windows[figure.publication, figure.period_type, figure.period_end].append(figure)
        return list(windows.values())

    def _add_up(self, window: Sequence[Figure]) -> None:
        (whole,) = [figure for figure in window if figure.is_whole] or [None]
        breakdowns = {figure.part[0] for figure in window if not figure.is_whole}
        for breakdown in breakdowns if whole else ():
            parts = [figure for figure in window if figure.part[0] == breakdown]
            for name in self.names:
                difference = dict.fromkeys(self.total(whole, name), -1.0)
                for part in parts:
                    difference |= self.total(part, name)
                self.system.between(difference, 0, 0)


def ranges(attacks: Sequence[tuple[Attack, Sequence[Wanted]]]) -> list[tuple[Wanted, int, int]]:
    """Give the least and the greatest that each wanted count can be. Tables that share nothing are solved together."""
    found: list[tuple[Wanted, int, int]] = []
    turn = 0
    while left := [(attack, wanted[turn]) for attack, wanted in attacks if turn < len(wanted)]:
        together, objective, places = System(), {}, []
        for attack, wanted in left:
            start, rows = len(together.upper), len(together.least)
            together.upper += attack.system.upper
            together.entries += [(rows + row, start + column, times) for row, column, times in attack.system.entries]
            together.least += attack.system.least
            together.most += attack.system.most
            moved = {start + unknown: times for unknown, times in wanted.total.items()}
            objective |= moved
            places.append((wanted, moved))
        low, high = together.extreme(objective, 1), together.extreme(objective, -1)
        found += [(wanted, _value(low, moved), _value(high, moved)) for wanted, moved in places]
        turn += 1
    return found


def _value(counts: np.ndarray[Any, Any], total: Mapping[int, float]) -> int:
    return int(sum(times * counts[unknown] for unknown, times in total.items()))
