"""What is asked of Great Expectations at once, and in which order."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from expectations.arguments import RowsWhere, UnexpectedRows
from expectations.plan import DeclaredCheck

# Great Expectations reads 200 rows of an answer at most, and has one for each check.
CHECKS_AT_ONCE = 50
# What reads more by itself is asked by itself, so that the readings of a large table go on side by side.
ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Part:
    """Checks that are asked together. `table` is None where Great Expectations need not know of one."""

    table: str | None
    checks: tuple[DeclaredCheck, ...]


def parts(checks: Sequence[DeclaredCheck], rows: Mapping[str, int]) -> Iterator[Part]:
    """Divide `checks` into parts, those of the largest tables first, or one thread would end long after the other.

    Its own expectations are asked of Great Expectations by table, queries of several tables together: each part
    costs more than most queries.
    """
    tables = sorted({check.table for check in checks}, key=lambda table: -rows.get(table or "", 0))
    together: list[DeclaredCheck] = []
    rows_read = 0
    for table in tables:
        of_table = [check for check in checks if check.table == table]
        if theirs := [check for check in of_table if not isinstance(check.arguments, RowsWhere | UnexpectedRows)]:
            yield Part(table, tuple(theirs))
        for reading in _readings(of_table):
            together += reading
            rows_read += rows.get(table or "", 0)
            if len(together) >= CHECKS_AT_ONCE or rows_read >= ROWS_AT_ONCE:
                yield Part(None, tuple(together))
                together, rows_read = [], 0
    if together:
        yield Part(None, tuple(together))


def _readings(checks: Sequence[DeclaredCheck]) -> list[list[DeclaredCheck]]:
    found: dict[str, list[DeclaredCheck]] = defaultdict(list)
    for check in checks:
        match check.arguments:
            case RowsWhere() as where:
                found[where.source].append(check)
            case UnexpectedRows():
                found[check.check_id].append(check)
    return [*found.values()]
