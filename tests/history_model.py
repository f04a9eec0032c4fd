"""What history must say after any deliveries, worked out the slow and plain way: the measure for the SQL that does it.

Written from what is promised (the design, decisions 0002 and 0003), not from how it is done: it knows no versions,
only what was believed at the end of each day.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Key = tuple[int, str]
Values = tuple[str | None, Decimal | None, date | None, str | None]
Rows = dict[Key, Values]
Reject = tuple[int, str]


@dataclass(frozen=True)
class Line:
    """One line of a delivery as its sender meant it; `fault` is the reason for which it must be rejected, if any."""

    key: Key | None
    values: Values
    fault: str | None = None
    operation: str = "update"


@dataclass
class Batch:
    """One accepted delivery and what it must have done."""

    day: date
    content: bytes
    before: Rows
    counts: Counter[str]
    rejects: set[Reject]
    touched: list[tuple[Key, Line]] = field(default_factory=list)


@dataclass
class Model:
    """One council's table."""

    is_feed: bool = False
    open: Rows = field(default_factory=dict)
    ever: set[tuple[Key, Values]] = field(default_factory=set)
    standing: list[Batch] = field(default_factory=list)
    at_end_of: dict[date, Rows] = field(default_factory=dict)
    last_known: date | None = None
    version_count: int = 0

    def deliver(self, day: date, known_on: date, content: bytes, lines: Iterable[Line]) -> Batch | None:
        """Take a delivery; None when it was taken before."""
        if any(batch.day == day and batch.content == content for batch in self.standing):
            return None
        apply = self._apply_feed if self.is_feed else self._apply_snapshot
        batch = apply(day, content, list(enumerate(lines, start=2)))
        self.standing.append(batch)
        self._remember(known_on)
        return batch

    def withdraw(self, known_on: date) -> tuple[int, int]:
        """Take back the latest delivery; give how many rows are no longer open, and how many are again."""
        batch = self.standing.pop()
        now, then = set(self.open.items()), set(batch.before.items())
        self.open = dict(batch.before)
        self.version_count += len(then - now)
        self._remember(known_on)
        return len(now - then), len(then - now)

    def waiting(self) -> Counter[str]:
        """Count the rejects that no later full snapshot has put right, by reason."""
        found: Counter[str] = Counter()
        for place, batch in enumerate(self.standing):
            if not any(later.day >= batch.day for later in self.standing[place + 1 :]):
                found.update(reason for _, reason in batch.rejects)
        return found

    def _remember(self, known_on: date) -> None:
        self.last_known = max(known_on, self.last_known or known_on)
        self.at_end_of[self.last_known] = dict(self.open)

    def _apply_snapshot(self, day: date, content: bytes, lines: list[tuple[int, Line]]) -> Batch:
        batch = Batch(day, content, dict(self.open), Counter(rows_in=len(lines)), set())
        held: set[Key] = set()
        by_key: dict[Key, dict[Values, list[int]]] = {}
        for number, line in lines:
            if line.fault or line.key is None:
                batch.rejects.add((number, line.fault or ""))
                if line.key is not None:
                    held.add(line.key)
            else:
                by_key.setdefault(line.key, {}).setdefault(line.values, []).append(number)
        good: Rows = {}
        for key, told in by_key.items():
            for numbers in told.values():
                batch.rejects |= {(number, "repeated_row") for number in numbers[1:]}
            if len(told) == 1:
                good[key] = next(iter(told))
            else:
                held.add(key)
                batch.rejects |= {(numbers[0], "conflicting_key") for numbers in told.values()}
        counts = batch.counts
        counts["rejected"] = len(batch.rejects)
        is_late = any(earlier.day > day for earlier in self.standing)
        for key, values in good.items():
            known = (key, values) in self.ever if is_late else self.open.get(key) == values
            counts["unchanged" if known else "changed" if key in self.open and not is_late else "new"] += 1
        if not is_late:
            vanished = self.open.keys() - good.keys() - held
            counts["closed"] = len(vanished)
            self.open = {key: values for key, values in self.open.items() if key not in vanished} | good
        self.ever |= set(good.items())
        self.version_count += counts["new"] + counts["changed"]
        return batch

    def _apply_feed(self, day: date, content: bytes, lines: list[tuple[int, Line]]) -> Batch:
        batch = Batch(day, content, dict(self.open), Counter(rows_in=len(lines)), set())
        batch.rejects = {(number, line.fault) for number, line in lines if line.fault}
        batch.touched = [(line.key, line) for _, line in lines if not line.fault and line.key is not None]
        counts = batch.counts
        counts["rejected"] = len(batch.rejects)
        self.open = self._said_last([*self.standing, batch])
        last = dict(batch.touched)
        spoken_later = {key for other in self.standing if other.day > day for key, _ in other.touched}
        for key, line in batch.touched:
            known = batch.before.get(key)
            if line is not last[key] or key in spoken_later or (line.operation == "delete" and known is None):
                counts["superseded"] += 1
            elif line.operation == "delete":
                counts["removed"] += 1
                counts["closed"] += 1
            else:
                counts["new" if known is None else "unchanged" if known == line.values else "changed"] += 1
            if line.operation != "delete":
                self.ever.add((key, line.values))
        self.version_count += sum(counts[what] for what in ("new", "changed", "unchanged", "superseded"))
        return batch

    def _said_last(self, batches: list[Batch]) -> Rows:
        """What counts of a row is what the feed of the latest day said last; of feeds of one day, the one taken last."""
        rows: dict[Key, Line] = {}
        for batch in sorted(batches, key=lambda each: each.day):
            rows |= dict(batch.touched)
        return {key: line.values for key, line in rows.items() if line.operation != "delete"}
