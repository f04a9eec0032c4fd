"""What is told of a delivery before it is accepted, and what may be answered: counts, days and words, never a row."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

# How many earlier deliveries a new one is held against, at most.
LOOKS_BACK = 14

ROWS, BLANK, MONTH, CODE, REJECTED = "rows", "blank", "month", "code", "rejected"
# Months too far off to be counted one by one.
EARLIER, LATER = "earlier", "later"


class Bucket(NamedTuple):
    """Which rows are counted: those with no value in a column, or of a month or a code in it, or rejected for a reason.

    `kind` is one of the constants above. `name` is the month, the code or the reason.
    """

    kind: str
    column: str = ""
    name: str = ""


@dataclass(frozen=True)
class Counted:
    """One delivery in numbers. `profile` is of the council's whole table as it stood after it, rejects of its own.

    `rows_moved` is how many rows the delivery added, changed or ended. `control_total` is that of its control record.
    """

    extract_date: date
    rows_in: int
    rows_rejected: int
    rows_moved: int
    control_total: Decimal | None
    profile: Mapping[Bucket, int]


@dataclass(frozen=True)
class Arrived:
    """A delivery that waits to be accepted, and the accepted ones of its table before it, the latest first."""

    table: str
    council: str
    business_date: date
    stale_after_days: int
    promises_total: bool
    whom_to_ask: str
    delivered: Counted
    earlier: tuple[Counted, ...]


@dataclass(frozen=True)
class ArrivalCheck:
    """What came of one check, as it is kept in audit.arrival_check.

    `subject` is the column, month or code that is furthest off, `measured` and `threshold` how far and how far it may
    be; `reason` says so in words, or why the check did not apply or could not run.
    """

    check_id: str
    kind: str
    severity: str
    outcome: str
    measured: float | None
    threshold: str
    subject: str | None
    subjects_checked: int | None
    subjects_failed: int | None
    says: str
    owner: str
    reason: str | None


@dataclass(frozen=True)
class Judgement:
    """What came of every check; `refusal` says why the delivery must not be accepted, `warnings` what to look into."""

    checks: tuple[ArrivalCheck, ...]
    refusal: str | None
    warnings: tuple[str, ...]


class Judge(Protocol):
    """Whoever says whether a delivery may be accepted."""

    def prepare(self) -> None:
        """Expect to be asked soon; returns at once."""

    def judge(self, arrived: Arrived) -> Judgement:
        """Judge one delivery."""


# For each table that has a contract, its columns, and by what each is counted beside its blanks: MONTH, CODE or
# nothing. So a check of a column that does not exist, or is not counted so, is refused.
Tables = Mapping[str, Mapping[str, str | None]]
OpenJudge = Callable[[Tables], AbstractContextManager[Judge]]
