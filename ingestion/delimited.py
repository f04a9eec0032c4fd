"""Reads a delimited extract as text, in blocks, and says where each row stood in the file."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from ingestion.containers import Source
from ingestion.contract import Contract
from ingestion.extract import LINE, MOST_MALFORMED, MOST_MALFORMED_CHARACTERS, Extract, check_headers
from ingestion.letters import holds_line_end, may_be_padded
from ingestion.refusal import FileRefused
from ingestion.rules import is_free_text
from ingestion.server import Server
from ingestion.swallowed import rows_with_swallowed
from ingestion.text import BLOCK_BYTES, STAND_IN, Text, delimiter_in_text, first_record

LONGEST_HEADER_BYTES = 1 << 20
MOST_ROWS_A_BLOCK = 50_000
LINE_END = re.compile(r"\r\n?|\n")


class DelimitedExtract(Extract):
    """One delimited file."""

    def __init__(self, path: Path, contract: Contract, server: Server) -> None:
        """Check the header.

        Raises:
            FileRefused: there is none, or it is not the contract's.
        """
        super().__init__(path, contract, server)
        self.padded = set()
        self._delimiter = delimiter_in_text(server)
        self.headers, self._header_lines = self._read_header()
        self.extra_headers = check_headers(path.name, self.headers, contract)
        self._aside: list[tuple[int, str]] = []
        self._last_is_short = False
        self._aside_lines: list[int] = []
        self._aside_characters = 0
        self._rows = self._inner_lines = 0
        self._sha256 = ""

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the rows block by block, as `Extract` promises."""
        wanted = [column.header for column in self.contract.columns]
        free_text = {column.header for column in self.contract.columns if is_free_text(column)}
        last_value = ""
        with Source(self.path, self.server) as source:
            text = Text(self.path.name, source, self.contract, self.server)
            try:
                for batch in self._pieces(text):
                    # What is read ahead only makes this true too early.
                    self.may_hold_nul = text.saw_nul
                    may_hold_line_ends = text.saw_quote and holds_line_end(batch)
                    lines = self._number(batch, may_hold_line_ends)
                    last_value = batch.column(batch.num_columns - 1)[-1].as_py() if may_hold_line_ends else ""
                    self.padded |= {header for header in free_text - self.padded if may_be_padded(batch.column(header))}
                    yield self._finish(pl.DataFrame(pl.from_arrow(batch.select(wanted))), lines, batch)
            except pa.ArrowInvalid:
                # Arrow's message quotes the row, so nothing of it goes on.
                raise self._structure_refusal() from None
            self._refuse_open_end(text.tail, last_value)
            self.control_record = text.control_record
            self._sha256 = source.content_sha256()

    def malformed(self) -> list[tuple[int, str]]:
        """Give line and text of each row that was set aside; complete once all blocks were read."""
        self._place_aside(np.zeros(len(self._aside) - len(self._aside_lines), dtype=np.int64))
        delimiter = self.server.delimiter
        return [
            (line, text if delimiter.isascii() else text.replace(STAND_IN, delimiter))
            for line, (_, text) in zip(self._aside_lines, self._aside, strict=True)
        ]

    def content_sha256(self) -> str:
        """Give the hash of the file as it lies on disk."""
        assert self._sha256, "the hash is known once all blocks were read"  # noqa: S101
        return self._sha256

    def _read_header(self) -> tuple[list[str], int]:
        name = self.path.name
        with Source(self.path, self.server) as source:
            start = next(Text(name, source, self.contract, self.server).chunks(), b"")[:LONGEST_HEADER_BYTES]
        if not start.strip():
            raise FileRefused("empty_file", f"{name}: the file is empty; not even a header came.")
        if not start.splitlines()[0].strip():
            raise FileRefused("empty_header", f"{name}: the first line is blank; it must be the header.")
        try:
            headers, lines = first_record(start.decode("utf-8", errors="replace"), self.server)
        except csv.Error:
            raise FileRefused("header_too_long", f"{name}: the first line cannot be read as a header.") from None
        if len(start) == LONGEST_HEADER_BYTES and lines > start.count(b"\n"):
            raise FileRefused("header_too_long", f"{name}: the first line is longer than any header.")
        if any("\0" in header for header in headers):
            raise FileRefused("encoding", f"{name}: the header holds NUL bytes, as no text does.")
        self._refuse_other_dialect(headers)
        promised = self.contract.control_total
        return headers, lines + (promised is not None and promised.is_first)

    def _refuse_other_dialect(self, headers: list[str]) -> None:
        name, expected = self.path.name, {column.header for column in self.contract.columns}
        if headers and headers[0].lower().startswith("sep="):
            raise FileRefused(
                "wrong_dialect", f"{name}: the first line is a hint for Excel (sep=), not the header; leave it out."
            )
        if len(headers) == 1 < len(expected):
            raise FileRefused(
                "wrong_dialect",
                f"{name}: the header has one field; is the delimiter really {self.server.delimiter!r}, as contract "
                f"{self.contract.name} says?",
            )
        bare = {header.strip("\"'") for header in headers}
        if not expected & set(headers) and expected <= bare:
            said = "no quotes" if self.server.quote is None else f"the quote is {self.server.quote!r}"
            raise FileRefused(
                "wrong_dialect",
                f"{name}: the header's fields are quoted, but contract {self.contract.name} says {said}.",
            )

    def _pieces(self, text: Text) -> Iterator[pa.RecordBatch]:
        """Give the parsed rows, in pieces of bounded memory even where a line is one byte long."""
        for batch in self._parse(text):
            for start in range(0, batch.num_rows, MOST_ROWS_A_BLOCK):
                yield batch.slice(start, MOST_ROWS_A_BLOCK)

    def _parse(self, text: Text) -> Iterator[pa.RecordBatch]:
        batches: Iterator[pa.RecordBatch] = pa_csv.open_csv(
            _Feed(text),
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char=self.server.quote or False,
                newlines_in_values=self.server.quote is not None,
                ignore_empty_lines=False,
                invalid_row_handler=self._set_aside,
            ),
            # Extra columns are read as well: a line end inside one of them counts, and a quote there may swallow rows.
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self.headers, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
        return batches

    def _set_aside(self, row: pa_csv.InvalidRow) -> str:
        self._aside.append((row.number, row.text))
        self._aside_characters += len(row.text)
        self._last_is_short = row.actual_columns < row.expected_columns
        # A quote that is never closed swallows every row behind it into this one.
        swallows_rows = LINE_END.search(row.text.rstrip()) is not None
        return "error" if swallows_rows or self._too_many_aside() else "skip"

    def _too_many_aside(self) -> bool:
        return len(self._aside) > MOST_MALFORMED or self._aside_characters > MOST_MALFORMED_CHARACTERS

    def _number(self, batch: pa.RecordBatch, may_hold_line_ends: bool) -> np.ndarray:
        """Give the line on which each row of a block begins."""
        records = self._record_numbers(batch.num_rows)
        lines = records + self._header_lines - 1 + self._inner_lines
        self._rows += batch.num_rows
        if may_hold_line_ends:
            block = pl.DataFrame(pl.from_arrow(batch)).with_columns(pl.all().str.replace_all("\r\n?", "\n"))
            inner = block.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True)).cast(pl.Int64))
            before = np.cumsum(np.concatenate([np.zeros(1, np.int64), inner.to_series().to_numpy()]))
            lines += before[:-1]
            waiting = np.array([number for number, _ in self._aside[len(self._aside_lines) :]], dtype=np.int64)
            self._place_aside(before[np.searchsorted(records, waiting[waiting < records[-1]])])
            self._inner_lines += int(before[-1])
            self._refuse_swallowed(block, lines)
        return lines

    def _place_aside(self, inner_lines: np.ndarray) -> None:
        """Fix the lines of the next rows that were set aside, by the line ends inside the rows before them."""
        begun = len(self._aside_lines)
        for (number, _), inner in zip(self._aside[begun : begun + inner_lines.size], inner_lines, strict=True):
            self._aside_lines.append(number + self._header_lines - 1 + self._inner_lines + int(inner))

    def _record_numbers(self, height: int) -> np.ndarray:
        """Number the rows of a block as records of the file, stepping over the malformed ones."""
        valid = np.arange(self._rows, self._rows + height)
        # The k-th malformed row stood behind (its place - k) valid ones.
        aside = np.array([number for number, _ in self._aside], dtype=np.int64) - 2
        skipped = np.searchsorted(aside - np.arange(aside.size), valid, side="right")
        return valid + skipped + 2

    def _refuse_swallowed(self, block: pl.DataFrame, lines: np.ndarray) -> None:
        known = {column.header: column for column in self.contract.columns}
        columns = [known.get(header) for header in block.columns]
        places = rows_with_swallowed(block, columns, self._delimiter, self.server.quote or "")
        if places:
            raise self._swallowed(int(lines[places[0]]))

    def _finish(self, block: pl.DataFrame, lines: np.ndarray, batch: pa.RecordBatch) -> pl.DataFrame:
        """Number the rows, pass over the empty ones, and see that the header does not come again."""
        numbered = block.with_columns(pl.Series(LINE, lines))
        lead = self.contract.key[0].header
        first = block[lead]
        # Rows of either kind are rare, and told by one column first.
        if (first == "").any():
            # A row that fills only columns we do not know is a bad row, not an empty one.
            whole = pl.DataFrame(pl.from_arrow(batch))
            numbered = numbered.filter(whole.select(pl.any_horizontal(pl.all() != "")).to_series())
        if (first == lead).any():
            again = numbered.filter(pl.all_horizontal(pl.col(header) == header for header in block.columns))
            if again.height:
                raise FileRefused(
                    "repeated_header",
                    f"{self.path.name}: the header comes again on line {again[LINE][0]}: two files were joined.",
                )
        if not self.server.delimiter.isascii():
            numbered = numbered.with_columns(pl.col(pl.String).str.replace_all(STAND_IN, self.server.delimiter))
        return numbered

    def _refuse_open_end(self, tail: bytes, last_value: str) -> None:
        """Refuse a file that stops in the middle."""
        name = self.path.name
        line = self._lines_so_far()
        ends_with_line_end = tail.endswith((b"\n", b"\r"))
        if tail.endswith(b"\0"):
            raise FileRefused("cut_short", f"{name}: the file ends in NUL bytes: it was never written to its end.")
        quote = (self.server.quote or "").encode()
        inner = len(LINE_END.findall(last_value))
        if inner and not tail.rstrip(b"\r\n").endswith(quote):
            raise self._swallowed(line - inner)
        last_is_malformed = bool(self._aside) and self._aside[-1][0] == self._rows + len(self._aside) + 1
        if not ends_with_line_end and last_is_malformed and self._last_is_short:
            raise FileRefused(
                "cut_short",
                f"{name}: the last line, {line}, has too few fields and no line end: the file is cut short.",
            )
        if not ends_with_line_end and self.server.needs_final_line_end:
            raise FileRefused(
                "cut_short", f"{name}: the last line, {line}, has no line end: the file may be cut short."
            )

    def _lines_so_far(self) -> int:
        return self._header_lines + self._rows + len(self._aside) + self._inner_lines

    def _swallowed(self, line: int) -> FileRefused:
        return FileRefused(
            "swallowed_rows",
            f"{self.path.name}: a quote in the row that begins on line {line} is not closed there and swallows rows "
            "behind it. A quote inside a value must be written twice.",
        )

    def _structure_refusal(self) -> FileRefused:
        name = self.path.name
        if self._too_many_aside():
            many = f"more than {MOST_MALFORMED:,}" if len(self._aside) > MOST_MALFORMED else "too many long"
            return FileRefused("broken_structure", f"{name}: {many} rows have a wrong number of fields.")
        swallowing = self._aside and LINE_END.search(self._aside[-1][1].rstrip())
        line = self.malformed()[-1][0] if swallowing else self._lines_so_far() + 1
        return FileRefused(
            "broken_structure",
            f"{name}: the file cannot be divided into rows: in the row that begins on line {line} a quote is opened "
            f"and never closed, or the row is longer than {BLOCK_BYTES >> 20} MB.",
        )


class _Feed(io.RawIOBase):
    """A text as a file that can only be read forwards, its last line ended if it was not."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._chunks = self._ended(text)
        self._left = b""

    def _ended(self, text: Text) -> Iterator[bytes]:
        yield from text.chunks()
        if not text.tail.endswith((b"\n", b"\r")):
            yield b"\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = BLOCK_BYTES if size is None or size < 0 else size
        parts: list[bytes] = []
        given = 0
        # Short pieces are put together: the first must hold the header. Long ones are passed on as they are.
        while given * 2 < wanted and (chunk := self._left or next(self._chunks, b"")):
            part, self._left = chunk[: wanted - given], chunk[wanted - given :]
            parts.append(part)
            given += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
