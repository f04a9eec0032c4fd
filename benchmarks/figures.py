"""What a benchmark gives: medians with their spread, beside the bare alternative, as one table."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from carehouse.build import code_version
from carehouse.settings import Settings

HEADINGS = ("benchmark", "what", "size", "carehouse", "against", "takes", "ratio (lowest to highest)")


@dataclass(frozen=True)
class Comparison:
    """One line of the table; place `n` of `ours` and of `bare` was measured in round `n`."""

    benchmark: str
    what: str
    size: str
    against: str
    unit: str = "s"
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def add(self, ours: float, bare: float | None = None) -> None:
        """Add one round."""
        self.ours.append(ours)
        if bare is not None:
            self.bare.append(bare)

    def cells(self) -> tuple[str, ...]:
        """Give the line's text under each of `HEADINGS`."""
        shown = (self.benchmark, self.what, self.size, _amount(median(self.ours), self.unit))
        if not self.bare:
            return (*shown, self.against, "", "")
        ratios = [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]
        ratio = f"{median(self.ours) / median(self.bare):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        return (*shown, self.against, _amount(median(self.bare), self.unit), ratio)


@dataclass(frozen=True)
class Options:
    """How large to measure, and how often."""

    rows: int
    people: tuple[int, ...]
    rounds: int
    quick: bool


def as_text(lines: Sequence[Comparison]) -> str:
    """Give the table for a terminal."""
    table = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    rows.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*rows, "", *_circumstances(lines)])


def as_markdown(lines: Sequence[Comparison]) -> str:
    """Give the table for a page."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(line.cells() for line in lines)]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", *_circumstances(lines)])


def _circumstances(lines: Sequence[Comparison]) -> Iterator[str]:
    rounds = sorted({len(line.ours) for line in lines})
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield f"Medians; rounds: {' or '.join(map(str, rounds))}, the two sides in turn. {datetime.now(UTC):%d %B %Y},"
    yield f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()} {platform.machine()},"
    yield f"Python {platform.python_version()}, carehouse {code_version(Settings.load())}."


def _amount(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:,.1f} s" if unit == "s" else f"{value:,.0f} {unit}"
