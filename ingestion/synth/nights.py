"""The nights for which extracts are cut."""

from calendar import monthrange
from datetime import date, timedelta

from carehouse.errors import CarehouseError

EVERY = ("once", "month-end", "day")


def nights_until(start: date, end: date, every: str, most: int) -> list[date]:
    """Give the last nights up to `end`, at most `most` and none before `start`, in order; `end` is always one.

    Raises:
        CarehouseError: `every` is not one of `EVERY`.
    """
    if every not in EVERY:
        raise CarehouseError(f"Extracts are cut {', '.join(EVERY)}; not {every!r}.")
    found = [end]
    while every != "once" and len(found) < most:
        before = found[-1] - timedelta(days=1)
        if every == "month-end" and before.day != monthrange(before.year, before.month)[1]:
            before = before.replace(day=1) - timedelta(days=1)
        if before < start:
            break
        found.append(before)
    return found[::-1]
