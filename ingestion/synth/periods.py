"""Days as whole numbers, and the months and accounting periods they fall in."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

import polars as pl

EPOCH = date(1970, 1, 1)
# Later than any day of a life here: the day of what never happens.
NEVER = 1_000_000


def day_of(when: date) -> int:
    """Give a date as days since 1970, in which all lives are reckoned."""
    return (when - EPOCH).days


def as_date(days: pl.Expr) -> pl.Expr:
    """Turn days since 1970 into a date column; null stays null."""
    return days.cast(pl.Int32).cast(pl.Date)


@dataclass(frozen=True)
class Month:
    """One calendar month, which is one accounting period."""

    year: int
    number: int

    @property
    def serial(self) -> int:
        """A number that rises by one from month to month."""
        return self.year * 12 + self.number - 1

    @property
    def first(self) -> int:
        """Its first day, in days since 1970."""
        return day_of(date(self.year, self.number, 1))

    @property
    def last(self) -> int:
        """Its last day, in days since 1970."""
        return day_of(date(self.year, self.number, monthrange(self.year, self.number)[1]))

    @property
    def starting_year(self) -> int:
        """The calendar year in which its financial year begins, on 1 April."""
        return self.year if self.number >= 4 else self.year - 1

    @property
    def financial_year(self) -> str:
        """Its financial year, such as 2018/19."""
        return f"{self.starting_year}/{(self.starting_year + 1) % 100:02d}"

    @property
    def period(self) -> int:
        """Its accounting period: 1 is April, 12 is March (R31)."""
        return (self.number - 4) % 12 + 1


def months_between(start: date, end: date) -> list[Month]:
    """Give every month with a day from `start` to `end`, in order."""
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    return [Month(serial // 12, serial % 12 + 1) for serial in range(first, last + 1)]
