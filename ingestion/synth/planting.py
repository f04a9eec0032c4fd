"""Plants the faults of a plan in the files as they are written, and remembers each with its place."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.contract import Contract
from ingestion.synth.chance import stream, whole_number
from ingestion.synth.faults import Fault, Plan, column_of
from ingestion.synth.spoiling import CHANGED_VALUES, KEEP, REFUSE, REJECT, WITHHOLD, expected, spoilt

PLACE, COPY = "place in the part", "is a copy"
EXTRA_HEADER = "LOCAL_NOTE"
SHRUNK_TO_PERCENT = 40


@dataclass(frozen=True)
class Planted:
    """One fault as it stands in a file, and what should become of it. `line` is None where it is of the file."""

    file: str
    line: int | None
    column: str
    kind: str
    expected: str
    reason_code: str


@dataclass
class Planting:
    """The faults of one file. `spoil` is None where no row has any."""

    planter: "Planter"
    landing: Path
    contract: Contract
    extract_date: date
    night: int
    faults: list[Fault]
    parts_seen: int = field(default=0)

    @property
    def _name(self) -> str:
        return f"{self.planter.council}/{self.contract.source}/{self.contract.table}_{self.extract_date}.csv"

    def spoil(self, text: pl.DataFrame, first_line: int) -> pl.DataFrame:
        """Spoil the rows of one part. No row has two faults."""
        of_rows = [fault for fault in self.faults if not fault.is_of_file]
        if not of_rows or text.is_empty():
            return text
        self.parts_seen += 1
        rng = stream(self.planter.seed, "faults", self.contract.name, self.extract_date.toordinal(), self.parts_seen)
        free = np.ones(text.height, dtype=np.bool_)
        marked = text.with_columns(pl.int_range(pl.len()).alias(PLACE), pl.lit(0).alias(COPY))
        copies, found = [], []
        for fault in of_rows:
            chosen = self._choose(rng, fault, text, free)
            free[chosen] = False
            if fault.kind in CHANGED_VALUES:
                marked, planted = self._change(fault, marked, chosen)
                found += planted
            else:
                copies.append(self._copy(fault, marked, chosen))
                found += self._copied(fault, chosen)
        spoilt_rows = pl.concat([marked, *copies]).sort(PLACE, COPY)
        line_of = {
            (place, copy): first_line + position
            for position, (place, copy) in enumerate(spoilt_rows.select(PLACE, COPY).iter_rows())
            if copy or not free[place]
        }
        for place, copy, column, kind, what, reason in found:
            self.planter.planted.append(Planted(self._name, line_of[place, copy], column, kind, what, reason))
        return spoilt_rows.drop(PLACE, COPY)

    def _choose(self, rng: np.random.Generator, fault: Fault, text: pl.DataFrame, free: np.ndarray) -> np.ndarray:
        """Choose rows: at least one in a file that has any."""
        is_fit = free.copy()
        if fault.column is not None:
            value = text[column_of(self.contract, fault.column).header]
            is_fit &= value.is_not_null().to_numpy()
            if fault.kind in CHANGED_VALUES:
                changed = pl.select(spoilt(fault.kind, pl.lit(value))).to_series()
                is_fit &= (changed != value).fill_null(value=True).to_numpy()
        places = np.flatnonzero(is_fit)
        count = whole_number(rng, places.size * fault.per_thousand / 1000)
        count = max(count, 1) if self.parts_seen == 1 else count
        return np.sort(rng.permutation(places)[:count])

    def _change(
        self, fault: Fault, marked: pl.DataFrame, chosen: np.ndarray
    ) -> tuple[pl.DataFrame, list[tuple[int, int, str, str, str, str]]]:
        column = column_of(self.contract, str(fault.column))
        value = pl.col(column.header)
        is_chosen = pl.col(PLACE).is_in(pl.Series(chosen).implode())
        spoilt_value = pl.when(is_chosen).then(spoilt(fault.kind, value)).otherwise(value)
        changed = marked.with_columns(spoilt_value.alias(column.header))
        texts = changed[column.header].gather(chosen).to_list()
        planted = [
            (place, 0, column.header, fault.kind, *expected(fault.kind, column, text))
            for place, text in zip(chosen.tolist(), texts, strict=True)
        ]
        return changed.select(marked.columns), planted

    def _copy(self, fault: Fault, marked: pl.DataFrame, chosen: np.ndarray) -> pl.DataFrame:
        copies: pl.DataFrame = marked[chosen.tolist()].with_columns(pl.lit(1).alias(COPY))
        if fault.kind == "repeated_row":
            return copies
        header = column_of(self.contract, str(fault.column)).header
        return copies.with_columns(pl.lit(None, pl.String).alias(header)).select(marked.columns)

    def _copied(self, fault: Fault, chosen: np.ndarray) -> Iterator[tuple[int, int, str, str, str, str]]:
        for place in chosen.tolist():
            if fault.kind == "conflicting_key":
                yield place, 0, "", fault.kind, REJECT, fault.kind
            yield place, 1, "", fault.kind, REJECT, fault.kind

    def finish(self, path: Path) -> Path:
        """Do to the whole file what befalls it, and give where it lies now."""
        for fault in self.faults:
            if fault.is_of_file:
                path = self._befall(fault, path)
        return path

    def _befall(self, fault: Fault, path: Path) -> Path:
        lines = path.read_bytes().splitlines(keepends=True)
        # A control record has columns of its own.
        promised = self.contract.control_total
        end = len(lines) - (promised is not None and not promised.is_first)
        what, reason, column = REFUSE, fault.kind, ""
        match fault.kind:
            case "empty_file":
                lines = []
            case "truncated_file":
                # Half of the last row is missing, as when a transfer broke off.
                kept = lines[: max(2, len(lines) * 7 // 10)]
                lines = [*kept[:-1], kept[-1][: len(kept[-1]) // 2].rstrip(b",\n")]
                reason = "cut_short"
            case "missing_column":
                column = column_of(self.contract, str(fault.column)).header
                place = [each.header for each in self.contract.columns].index(column)
                lines = [*(_without(line, place, self.contract.delimiter) for line in lines[:end]), *lines[end:]]
            case "extra_column":
                divider = self.contract.delimiter.encode()
                extra = (EXTRA_HEADER.encode() if number == 0 else b"" for number in range(end))
                wider = (line.rstrip(b"\n") + divider + more + b"\n" for line, more in zip(lines, extra, strict=False))
                lines = [*wider, *lines[end:]]
                what, reason, column = KEEP, "", EXTRA_HEADER
            case "shrunk_snapshot":
                lines = lines[: 1 + (len(lines) - 1) * SHRUNK_TO_PERCENT // 100]
                what, reason = (KEEP, "") if self.night == 1 else (REFUSE, "shrunk")
            case "wrong_total":
                marker, count, total = lines[-1].decode().rstrip("\n").split(self.contract.delimiter)
                lines[-1] = f"{marker},{count},{total[:-1]}{(int(total[-1]) + 1) % 10}\n".encode()
                reason = "control_total_differs"
            case "late_delivery":
                what, reason = WITHHOLD, ""
        path.write_bytes(b"".join(lines))
        self.planter.planted.append(Planted(self._name, None, column, fault.kind, what, reason))
        return self._withhold(path) if what == WITHHOLD else path

    def _withhold(self, path: Path) -> Path:
        kept = self.landing.parent / "late" / path.relative_to(self.landing)
        kept.parent.mkdir(parents=True, exist_ok=True)
        return path.replace(kept)


def _without(line: bytes, place: int, delimiter: str) -> bytes:
    (fields,) = csv.reader([line.decode()], delimiter=delimiter)
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerow(fields[:place] + fields[place + 1 :])
    return written.getvalue().encode()


@dataclass
class Planter:
    """Plants one plan, and holds what was planted."""

    plan: Plan
    seed: int
    council: str
    landing: Path
    planted: list[Planted] = field(default_factory=list)

    def file(self, contract: Contract, extract_date: date, night: int) -> Planting:
        """Begin a file, of the night counted from 1."""
        return Planting(self, self.landing, contract, extract_date, night, self.plan.of(contract.name, night))
