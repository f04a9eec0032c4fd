"""The kinds of arrival check: what each measures, and the thresholds it takes. Nothing else is accepted.

Each turns a delivery and those before it into figures, one for each subject (the table, a column, a month of a column,
a code), and says between which bounds they should lie. Judging them is Great Expectations' task.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import inf
from statistics import median
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from carehouse.arrival import BLANK, CODE, EARLIER, LATER, LOOKS_BACK, MONTH, REJECTED, ROWS, Arrived, Bucket, Counted

Percent = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=100)]
Deliveries = Annotated[int, Field(ge=1, le=LOOKS_BACK)]
FromRows = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Figure:
    """What was measured of one subject, and how in words; no subject is a value of a row."""

    subject: str
    value: float
    found: str


@dataclass(frozen=True)
class Bounds:
    """Between what figures should lie; `in_words` is what is allowed."""

    low: float | None
    high: float | None
    in_words: str

    def excess(self, value: float) -> float:
        """Say how far beyond a figure lies; below nothing, how near to a bound it comes."""
        below = self.low - value if self.low is not None else -inf
        above = value - self.high if self.high is not None else -inf
        return max(below, above)


class DoesNotApplyError(Exception):
    """There is nothing to measure; the message says why."""


class Kind(BaseModel):
    """One kind of check, with the thresholds of one check of it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    # What its columns must be counted by.
    about: ClassVar[str | None] = None

    needs_deliveries: Deliveries = 1

    def figures(self, arrived: Arrived) -> list[Figure]:
        """Measure a delivery.

        Raises:
            DoesNotApplyError: there is nothing to measure, or too little to hold it against.
        """
        if len(arrived.earlier) < self.needs_deliveries:
            raise DoesNotApplyError(
                f"{len(arrived.earlier)} earlier deliveries were accepted; it takes {self.needs_deliveries} to compare"
            )
        return list(self._measured(arrived))

    def bounds(self, arrived: Arrived) -> Bounds:
        """Give what is allowed."""
        raise NotImplementedError

    def named_columns(self) -> tuple[str, ...]:
        """Name the columns that the check is about, where its author named any."""
        return ()

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        raise NotImplementedError


class _OfColumns(Kind):
    columns: list[Annotated[str, Field(min_length=1)]] | None = Field(default=None, min_length=1)

    def named_columns(self) -> tuple[str, ...]:
        return tuple(self.columns or ())

    def _is_about(self, column: str) -> bool:
        return self.columns is None or column in self.columns


class Volume(Kind):
    """Rows of the table against the median of the last deliveries, in per cent, both ways."""

    needs_deliveries: Deliveries = 3
    of_last: Deliveries = 7
    at_most_percent_fewer: Share
    at_most_percent_more: Percent
    from_rows: FromRows = 100

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        fewer, more = self.at_most_percent_fewer, self.at_most_percent_more
        return Bounds(-fewer, more, f"at most {fewer:g} % fewer or {more:g} % more")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        last = arrived.earlier[: self.of_last]
        usual, rows = median(_rows(each) for each in last), _rows(arrived.delivered)
        if usual < self.from_rows:
            raise DoesNotApplyError(f"the table had fewer than {self.from_rows} rows")
        yield Figure(
            "the table",
            _percent(rows, usual),
            f"{rows:,} rows, {_more_or_fewer(rows, usual)} than the median of {usual:,.0f} in the last "
            f"{len(last)} deliveries",
        )


class Blanks(_OfColumns):
    """Share of each column's blanks against the last delivery, in percentage points."""

    at_most_points_more: Share
    from_rows: FromRows = 100

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(None, self.at_most_points_more, f"at most {self.at_most_points_more:g} percentage points more")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        now, before = arrived.delivered, arrived.earlier[0]
        if min(_rows(now), _rows(before)) < self.from_rows:
            raise DoesNotApplyError(f"the table has, or had, fewer than {self.from_rows} rows")
        for bucket, blank in now.profile.items():
            if bucket.kind != BLANK or not self._is_about(bucket.column) or bucket not in before.profile:
                continue
            share, was = (_share(blank, _rows(now)), _share(before.profile[bucket], _rows(before)))
            found = f"{bucket.column} is blank in {share:.1f} % of rows, {was:.1f} % in the last delivery"
            yield Figure(bucket.column, share - was, found)


class Months(_OfColumns):
    """Rows of each recent month of each date against the last delivery, in per cent: none should empty itself."""

    about = MONTH
    at_most_percent_fewer: Share
    of_last_months: Annotated[int, Field(ge=1, le=36)] = 24
    from_rows: FromRows = 50

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(-self.at_most_percent_fewer, None, f"at most {self.at_most_percent_fewer:g} % fewer")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        now, before = arrived.delivered, arrived.earlier[0]
        for bucket, was in before.profile.items():
            if bucket.kind != MONTH or not self._is_about(bucket.column) or was < self.from_rows:
                continue
            if bucket.name in (EARLIER, LATER) or not 0 <= _lag(bucket.name, before.extract_date) < self.of_last_months:
                continue
            # The month in which a delivery of two or three years ago ended may be counted with those before it by now.
            if _lag(bucket.name, now.extract_date) >= self.of_last_months:
                continue
            rows = now.profile.get(bucket, 0)
            found = f"{rows:,} rows have {bucket.column} in {bucket.name}, {was:,} had in the last delivery"
            yield Figure(f"{bucket.column} {bucket.name}", _percent(rows, was), found)


class NewestMonth(_OfColumns):
    """Months from the newest month of each date to the extract, against the worst of the last deliveries."""

    about = MONTH
    at_most_months_more: Annotated[int, Field(ge=0)]
    of_last: Deliveries = 7
    from_rows: FromRows = 20

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        more = self.at_most_months_more
        return Bounds(None, more, f"at most {more} {'month' if more == 1 else 'months'} further behind")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        last = arrived.earlier[: self.of_last]
        for column in sorted({bucket.column for bucket in last[0].profile if bucket.kind == MONTH}):
            if not self._is_about(column):
                continue
            lags = [lag for each in last if (lag := self._behind(each, column)) is not None]
            if len(lags) < len(last):
                continue
            lag = self._behind(arrived.delivered, column)
            behind = "more than 36" if lag is None else str(lag)
            yield Figure(
                column,
                (37 if lag is None else lag) - max(lags),
                f"the newest month of {column} lies {behind} months before the extract's, {max(lags)} at most in the "
                f"last {len(last)} deliveries",
            )

    def _behind(self, counted: Counted, column: str) -> int | None:
        lags = [
            _lag(bucket.name, counted.extract_date)
            for bucket, rows in counted.profile.items()
            if bucket.kind == MONTH and bucket.column == column
            if bucket.name not in (EARLIER, LATER) and rows >= self.from_rows
        ]
        return min((lag for lag in lags if lag >= 0), default=None)


class NewCodes(_OfColumns):
    """Rows of codes that none of the last deliveries had."""

    about = CODE
    of_last: Deliveries = LOOKS_BACK
    at_most_rows: Annotated[int, Field(ge=0)] = 0

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(None, self.at_most_rows, f"at most {self.at_most_rows} rows of a code not seen before")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        last = arrived.earlier[: self.of_last]
        for bucket, rows in arrived.delivered.profile.items():
            if bucket.kind == CODE and self._is_about(bucket.column):
                is_new = not any(bucket in each.profile for each in last)
                found = f"{rows:,} rows have the new {bucket.column} {bucket.name}"
                yield Figure(f"{bucket.column} {bucket.name}", rows if is_new else 0, found)


class VanishedCodes(_OfColumns):
    """Rows of each code that the last delivery had."""

    about = CODE
    at_least_rows: FromRows = 1
    from_rows: FromRows = 50

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(self.at_least_rows, None, f"at least {self.at_least_rows} rows of every code in use")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        for bucket, was in arrived.earlier[0].profile.items():
            if bucket.kind == CODE and self._is_about(bucket.column) and was >= self.from_rows:
                rows = arrived.delivered.profile.get(bucket, 0)
                found = f"{rows:,} rows have {bucket.column} {bucket.name}, {was:,} had in the last delivery"
                yield Figure(f"{bucket.column} {bucket.name}", rows, found)


class ControlTotalGiven(Kind):
    """Whether a file that is to end with a control total did."""

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(1, None, "a control total is promised")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        if not arrived.promises_total:
            raise DoesNotApplyError("the contract promises no control total")
        is_given = arrived.delivered.control_total is not None
        yield Figure(
            "the control record", int(is_given), f"{'a' if is_given else 'no'} control total came with the file"
        )


class ControlTotal(Kind):
    """The control total against the median of the last deliveries, in per cent, both ways."""

    needs_deliveries: Deliveries = 3
    of_last: Deliveries = 7
    at_most_percent_less: Percent
    at_most_percent_more: Percent
    from_pounds: Annotated[int, Field(ge=1)] = 1000

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        less, more = self.at_most_percent_less, self.at_most_percent_more
        return Bounds(-less, more, f"at most {less:g} % less or {more:g} % more")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        if not arrived.promises_total:
            raise DoesNotApplyError("the contract promises no control total")
        last = [each.control_total for each in arrived.earlier[: self.of_last] if each.control_total is not None]
        total = arrived.delivered.control_total
        if total is None or not last:
            raise DoesNotApplyError("no control total came, or there is none to hold it against")
        usual = median(last)
        if abs(usual) < self.from_pounds:
            raise DoesNotApplyError(f"the control totals were below £{self.from_pounds:,}")
        moved = float((total - usual) / abs(usual)) * 100
        found = f"the control total is {abs(moved):.1f} % {'less' if moved < 0 else 'more'} than the median of the last"
        yield Figure("the control total", moved, f"{found} {len(last)} deliveries")


class Rejects(Kind):
    """Share of rejected rows against the last delivery, in percentage points."""

    at_most_points_more: Share
    from_rows: FromRows = 100

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(None, self.at_most_points_more, f"at most {self.at_most_points_more:g} percentage points more")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        now, before = arrived.delivered, arrived.earlier[0]
        if min(now.rows_in, before.rows_in) < self.from_rows:
            raise DoesNotApplyError(f"a file had fewer than {self.from_rows} rows")
        share, was = (_share(each.rows_rejected, each.rows_in) for each in (now, before))
        reasons = sorted(bucket.name for bucket in now.profile if bucket.kind == REJECTED)
        found = f"{share:.1f} % of rows are rejected ({', '.join(reasons)}), {was:.1f} % of the last delivery's"
        yield Figure("rejected rows", share - was, found)


class Age(Kind):
    """Days from the day the extract shows to the day it is loaded for; by default the contract says how many."""

    at_most_days: Annotated[int, Field(ge=0)] | None = None

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        days = arrived.stale_after_days if self.at_most_days is None else self.at_most_days
        return Bounds(None, days, f"at most {days} days old")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        days = (arrived.business_date - arrived.delivered.extract_date).days
        yield Figure(
            "the extract", days, f"it shows {arrived.delivered.extract_date}, {days} days before it was loaded"
        )


class Standstill(Kind):
    """Days for which extract after extract has shown no change at all."""

    at_most_days: Annotated[int, Field(ge=0)]

    @override
    def bounds(self, arrived: Arrived) -> Bounds:
        return Bounds(None, self.at_most_days, f"at most {self.at_most_days} days without a change")

    def _measured(self, arrived: Arrived) -> Iterator[Figure]:
        latest = arrived.delivered.extract_date
        deliveries = (arrived.delivered, *arrived.earlier)
        moved = next((each for each in deliveries if each.rows_moved), deliveries[-1])
        days = (latest - moved.extract_date).days
        yield Figure("the table", days, f"nothing has changed in the extracts since that of {moved.extract_date}")


KINDS: dict[str, type[Kind]] = {
    "volume": Volume,
    "blanks": Blanks,
    "months": Months,
    "newest_month": NewestMonth,
    "new_codes": NewCodes,
    "vanished_codes": VanishedCodes,
    "control_total_given": ControlTotalGiven,
    "control_total": ControlTotal,
    "rejects": Rejects,
    "age": Age,
    "standstill": Standstill,
}


def _rows(counted: Counted) -> int:
    return counted.profile.get(Bucket(ROWS), 0)


def _share(part: int, whole: int) -> float:
    return part * 100 / whole if whole else 0.0


def _percent(now: float, before: float) -> float:
    return (now / before - 1) * 100


def _more_or_fewer(now: float, before: float) -> str:
    moved = _percent(now, before)
    return f"{abs(moved):.1f} % {'fewer' if moved < 0 else 'more'}"


def _lag(month: str, day: date) -> int:
    """Count the months from one written 2018-10 to the month of a day."""
    year, number = month.split("-")
    return (day.year - int(year)) * 12 + day.month - int(number)
