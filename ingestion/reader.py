"""Reads a delimited extract as text, in blocks, and says where each row stood in the file."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from ingestion.contract import Contract
from ingestion.refusal import FileRefused

BLOCK_BYTES = 2 << 20
LONGEST_HEADER_BYTES = 1 << 20
LONGEST_TRAILER_BYTES = 4 << 10
LINE = "source_line"
FIRST_ROW_LINE = 2
MOST_MALFORMED = 10_000


@dataclass(frozen=True)
class Trailer:
    """What a file's last record says the file holds."""

    row_count: int
    total: Decimal
    body_bytes: int


@dataclass
class Extract:
    """One open extract: its header has been checked against the contract, its rows not yet."""

    path: Path
    contract: Contract
    extra_headers: tuple[str, ...]
    trailer: Trailer | None
    _malformed: list[tuple[int, str]] = field(default_factory=list)
    _multiline: list[pl.DataFrame] = field(default_factory=list)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the rows block by block: a text column for each header, and `source_line` (the header is 1).

        Empty lines are passed over. Rows with too many or too few fields are set aside in `malformed`.

        Raises:
            FileRefused: the text is not UTF-8, or cannot be divided into rows.
        """
        rows_before, newlines_before = 0, 0
        with _BodyOnly(self.path, self.trailer) as body:
            try:
                for batch in self._open(body):
                    block = pl.DataFrame(pl.from_arrow(batch))
                    if block.is_empty():
                        continue
                    records = self._record_numbers(rows_before, block.height)
                    inner = block.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True))).to_series()
                    newlines = int(inner.sum())
                    lines = records + newlines_before
                    if newlines:
                        lines += inner.cum_sum().to_numpy() - inner.to_numpy()
                        self._multiline.append(pl.DataFrame({"record": records, "inner": inner}).filter(inner > 0))
                    rows_before += block.height
                    newlines_before += newlines
                    is_empty_line = pl.all_horizontal(pl.exclude(LINE) == "")
                    yield block.with_columns(pl.Series(LINE, lines)).remove(is_empty_line)
            except pa.ArrowInvalid as error:
                # Arrow's message quotes the row, so only what kind of fault it is goes on.
                raise _refusal_for(self, str(error)) from None

    def malformed(self) -> list[tuple[int, str]]:
        """Give line and text of each row that was set aside; complete once all blocks were read."""
        if not self._multiline:
            return self._malformed
        multiline = pl.concat(self._multiline)
        return [
            (number + int(multiline.filter(pl.col("record") < number)["inner"].sum()), text)
            for number, text in self._malformed
        ]

    def _open(self, body: BinaryIO) -> Iterator[pa.RecordBatch]:
        headers = [column.header for column in self.contract.columns]
        batches: Iterator[pa.RecordBatch] = pa_csv.open_csv(
            body,
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.contract.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._set_aside,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(headers, pa.string()),
                include_columns=headers,
                strings_can_be_null=False,
            ),
        )
        return batches

    def _set_aside(self, row: pa_csv.InvalidRow) -> str:
        self._malformed.append((row.number, row.text))
        # A quote that is never closed swallows every row behind it into this one.
        swallows_rows = "\n" in row.text.rstrip()
        return "error" if swallows_rows or len(self._malformed) > MOST_MALFORMED else "skip"

    def _record_numbers(self, rows_before: int, height: int) -> np.ndarray:
        """Number the rows of a block as records of the file, stepping over the malformed ones."""
        valid = np.arange(rows_before, rows_before + height)
        # The k-th malformed row stood behind (its place - k) valid ones.
        aside = np.array(sorted(number for number, _ in self._malformed), dtype=np.int64) - FIRST_ROW_LINE
        skipped = np.searchsorted(aside - np.arange(aside.size), valid, side="right")
        return valid + skipped + FIRST_ROW_LINE


def open_extract(path: Path, contract: Contract) -> Extract:
    """Check a file's header and trailer against its contract.

    Raises:
        FileRefused: the file is empty, lacks a column, repeats a header, or has no trailer where the
            contract promises one.
    """
    headers = _headers(path, contract)
    repeated = sorted({header for header in headers if headers.count(header) > 1})
    if repeated:
        raise FileRefused("repeated_header", f"{path.name}: the header repeats {', '.join(repeated)}.")
    expected = [column.header for column in contract.columns]
    missing = [header for header in expected if header not in headers]
    if missing:
        raise FileRefused(
            "missing_column",
            f"{path.name}: the header lacks {', '.join(missing)}, which contract {contract.name} "
            f"{contract.version} requires.",
        )
    extra = tuple(header for header in headers if header not in expected)
    return Extract(path, contract, extra, _trailer(path, contract))


def _headers(path: Path, contract: Contract) -> list[str]:
    with path.open("rb") as file:
        start = file.readline(LONGEST_HEADER_BYTES)
    if not start.strip():
        raise FileRefused("empty_file", f"{path.name}: the file is empty; not even a header came.")
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("encoding", f"{path.name}: the header is not {contract.encoding} text.") from None
    return next(csv.reader(io.StringIO(text), delimiter=contract.delimiter))


def _trailer(path: Path, contract: Contract) -> Trailer | None:
    """Read the trailer record off the end of the file."""
    promised = contract.control_total
    if promised is None:
        return None
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - LONGEST_TRAILER_BYTES))
        tail = file.read()
    last_line = tail.rstrip(b"\r\n").rpartition(b"\n")[2]
    body_bytes = size - len(tail) + tail.rstrip(b"\r\n").rfind(b"\n") + 1
    fields = last_line.decode("ascii", errors="replace").rstrip("\r").split(contract.delimiter)
    try:
        marker, row_count, total = fields
        if marker != promised.marker:
            raise ValueError
        return Trailer(int(row_count), Decimal(total), body_bytes)
    except (ValueError, InvalidOperation):
        raise FileRefused(
            "control_total_missing",
            f"{path.name}: the file does not end with its {promised.marker} record (row count, sum of "
            f"{promised.column}), so it may be cut short.",
        ) from None


def _refusal_for(extract: Extract, arrow_message: str) -> FileRefused:
    name = extract.path.name
    if "UTF8" in arrow_message:
        return FileRefused("encoding", f"{name}: the file is not {extract.contract.encoding} text throughout.")
    return FileRefused(
        "broken_structure",
        f"{name}: the file cannot be divided into rows: a quote is opened and never closed, a row is "
        f"longer than {BLOCK_BYTES >> 20} MB, or over {MOST_MALFORMED:,} rows have a wrong number of fields.",
    )


class _BodyOnly(io.FileIO):
    """The file without its trailer record."""

    def __init__(self, path: Path, trailer: Trailer | None) -> None:
        super().__init__(path, "rb")
        self._left = trailer.body_bytes if trailer else path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = super().read(wanted) or b""
        self._left -= len(data)
        return data
