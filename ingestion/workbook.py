"""Reads one sheet of a workbook (.xlsx) as a stream of text rows; decision 0007 says why no library does.

Hidden rows, columns and sheets count like others: hiding or filtering takes nothing away from a table.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ingestion.cells import BUILT_IN_DATES, cell_text, is_date_format, leading_zeros, unescape
from ingestion.containers import open_archive, open_disk, refuse_bomb
from ingestion.contract import Contract
from ingestion.extract import LINE, MOST_MALFORMED, MOST_MALFORMED_CHARACTERS, Extract, check_headers
from ingestion.refusal import FileRefused
from ingestion.server import Server
from ingestion.sheet import Row, SheetFault, SheetReader, local_name, parsed, safe_parser

ROWS_A_BLOCK = 10_000
CHARACTERS_A_BLOCK = 4 << 20
# Names, styles and shared texts are held while the sheet is read.
MOST_HELD_BYTES = 64_000_000
MOST_STYLES = 65_490
LONGEST_CELL = 32_767
OLE = b"\xd0\xcf\x11\xe0"
PASSWORD_MARK = "EncryptedPackage".encode("utf-16-le")


class WorkbookExtract(Extract):
    """One sheet of one workbook."""

    def __init__(self, path: Path, contract: Contract, server: Server) -> None:
        """Check that the sheet is there and its header is the contract's.

        Raises:
            FileRefused: it is not a workbook, is protected, lacks the sheet, or has another header.
        """
        super().__init__(path, contract, server)
        self._aside: list[tuple[int, str]] = []
        self._aside_characters = 0
        self._sha256 = ""
        with _Book(path, server) as book:
            self._headers = self._read_header(book)
        self.extra_headers = check_headers(path.name, [header for header in self._headers if header], contract)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the rows block by block, as `Extract` promises; `source_line` is the sheet's own row number."""
        wanted = [column.header for column in self.contract.columns]
        with _Book(self.path, self.server) as book:
            reader = book.sheet()
            lines: list[int] = []
            values: list[list[str]] = []
            characters = 0
            for row in book.guarded(reader.rows()):
                if row.number <= self.server.header_row:
                    continue
                texts = self._texts(row, book)
                if texts is None:
                    continue
                lines.append(row.number)
                values.append(texts)
                characters += sum(map(len, texts))
                if len(lines) == ROWS_A_BLOCK or characters > CHARACTERS_A_BLOCK:
                    yield self._frame(lines, values).select(*wanted, LINE)
                    lines, values, characters = [], [], 0
            self._refuse_merged(reader)
            if lines:
                yield self._frame(lines, values).select(*wanted, LINE)
            self._sha256 = book.content_sha256()

    def malformed(self) -> list[tuple[int, str]]:
        """Give row number and text of each row with a value outside the header's columns."""
        return self._aside

    def content_sha256(self) -> str:
        """Give the hash of the file as it lies on disk."""
        assert self._sha256, "the hash is known once all blocks were read"  # noqa: S101
        return self._sha256

    def _read_header(self, book: "_Book") -> list[str]:
        for row in book.guarded(book.sheet().rows()):
            if row.number == self.server.header_row:
                headers = [""] * row.cells[-1].column
                for cell in row.cells:
                    headers[cell.column - 1] = book.text(cell, None)
                return headers
            if row.number > self.server.header_row:
                break
        raise FileRefused(
            "empty_header",
            f"{self.path.name}: row {self.server.header_row} of sheet {self.server.sheet!r} is blank; the contract "
            "says that the header is there (headerRow).",
        )

    def _texts(self, row: Row, book: "_Book") -> list[str] | None:
        """Give the row's text by column; None when nothing is filled in or it was set aside."""
        known = self._columns
        texts = [""] * len(self._headers)
        outside = False
        for cell in row.cells:
            column = cell.column - 1
            if column < len(texts) and self._headers[column]:
                texts[column] = book.text(cell, known[column])
            else:
                outside = outside or bool(book.text(cell, None).strip())
        if outside:
            self._set_aside(row, ",".join(book.text(cell, None) for cell in row.cells))
            return None
        return texts if any(map(str.strip, texts)) else None

    def _set_aside(self, row: Row, text: str) -> None:
        self._aside.append((row.number, text))
        self._aside_characters += len(text)
        if len(self._aside) > MOST_MALFORMED or self._aside_characters > MOST_MALFORMED_CHARACTERS:
            many = f"more than {MOST_MALFORMED:,}" if len(self._aside) > MOST_MALFORMED else "too many long"
            raise FileRefused(
                "broken_structure", f"{self.path.name}: {many} rows have values outside the header's columns."
            )

    @cached_property
    def _columns(self) -> list[Any]:
        by_header = {column.header: column for column in self.contract.columns}
        return [by_header.get(header) for header in self._headers]

    def _frame(self, lines: list[int], values: list[list[str]]) -> pl.DataFrame:
        by_column = list(zip(*values, strict=True))
        named = {header: by_column[place] for place, header in enumerate(self._headers) if header}
        return pl.DataFrame(named, schema=dict.fromkeys(named, pl.String)).with_columns(
            pl.Series(LINE, lines, dtype=pl.Int64)
        )

    def _refuse_merged(self, reader: SheetReader) -> None:
        for merged in reader.merged:
            if merged.last_row >= self.server.header_row and merged.first_column <= len(self._headers):
                raise FileRefused(
                    "merged_cells",
                    f"{self.path.name}: sheet {self.server.sheet!r} has merged cells in row "
                    f"{max(merged.first_row, self.server.header_row)}; only one of them has a value. Unmerge them and "
                    "fill in each.",
                )


class _Book:
    """A workbook's parts: where the sheet is, its shared texts and its styles."""

    def __init__(self, path: Path, server: Server) -> None:
        self._name, self._server = path.name, server
        self._disk = open_disk(path)
        try:
            self._archive = self._open()
            self._held_bytes = 0
            self._since_1904 = False
            self._results_are_current = True
            self._sheet_part, links = self._find_sheet()
            self._strings = self._read_strings(links)
            self._styles = self._read_styles(links)
        except BaseException:
            self._disk.close()
            raise

    def __enter__(self) -> "_Book":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()
        self._disk.close()

    def sheet(self) -> SheetReader:
        """Begin to read the sheet."""
        return SheetReader(self._archive.open(self._sheet_part).read, self._results_are_current)

    def guarded(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Pass rows on; refuse the file in words when the sheet is not one."""
        try:
            yield from rows
        except SheetFault as fault:
            raise self._broken(str(fault)) from None
        except (zipfile.BadZipFile, EOFError, OSError, ValueError):
            raise self._broken("it is damaged") from None

    def text(self, cell: Any, column: Any) -> str:
        """Give a cell's text as the CSV file would have it."""
        style = self._styles[cell.style] if cell.style < len(self._styles) else (False, 0)
        try:
            return cell_text(cell, column, self._strings, style, self._since_1904)
        except SheetFault as fault:
            raise self._broken(str(fault)) from None

    def content_sha256(self) -> str:
        return self._disk.whole_sha256(again=True)

    def _open(self) -> zipfile.ZipFile:
        start = self._disk.peek()
        if not start:
            raise FileRefused("empty_file", f"{self._name}: the file is empty; not even a header came.")
        if start.startswith(OLE):
            # The mark of a protected workbook stands in the first sectors of its container.
            beginning = self._disk.read(1 << 20)
            if PASSWORD_MARK in beginning:
                raise FileRefused("encrypted", f"{self._name}: the workbook is protected by a password.")
            raise FileRefused("wrong_format", f"{self._name}: the workbook is of the old .xls kind; save it as .xlsx.")
        if not start.startswith(b"PK"):
            raise FileRefused("wrong_format", f"{self._name}: the file is named as a workbook (.xlsx), but is none.")
        archive, members = open_archive(self._name, self._disk)
        names = [member.filename for member in members]
        if "[Content_Types].xml" not in names or len(set(names)) < len(names):
            raise FileRefused("wrong_format", f"{self._name}: the file is a zip file, but not a workbook.")
        packed, expanded = (sum(getattr(each, size) for each in members) for size in ("compress_size", "file_size"))
        refuse_bomb(self._name, self._server, packed, expanded)
        return archive

    def _find_sheet(self) -> tuple[str, dict[str, tuple[str, str]]]:
        office = [part for kind, part in self._links("").values() if kind == "officeDocument"]
        book = office[0] if office else "xl/workbook.xml"
        links = self._links(book)
        sheets: list[tuple[str, str]] = []

        def start(tag: str, said: dict[str, str]) -> None:
            if tag == "sheet":
                relation = next((value for key, value in said.items() if local_name(key) == "id"), "")
                sheets.append((said.get("name", ""), relation))
            elif tag == "workbookPr":
                self._since_1904 = said.get("date1904") in {"1", "true"}
            elif tag == "calcPr":
                self._results_are_current = said.get("fullCalcOnLoad") not in {"1", "true"}

        self._parse(book, start)
        wanted = self._server.sheet
        found = [relation for name, relation in sheets if name == wanted]
        if len(found) != 1:
            alike = [name for name, _ in sheets if name.casefold().strip() == wanted.casefold().strip()]
            hint = "one is named so but for capitals or spaces" if alike else f"it has {len(sheets)} others"
            raise FileRefused("missing_sheet", f"{self._name}: the workbook has no sheet {wanted!r}; {hint}.")
        kind, part = links.get(found[0], ("", ""))
        if kind != "worksheet" or part not in self._archive.namelist():
            raise self._broken("it is no sheet of cells")
        return part, links

    def _links(self, part: str) -> dict[str, tuple[str, str]]:
        """Give kind and part by id of what a part refers to. Names lead to parts of the archive, never to files."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, said: dict[str, str]) -> None:
            if tag == "Relationship" and said.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, said.get("Target", "")))
                found[said.get("Id", "")] = (said.get("Type", "").rpartition("/")[2], target.lstrip("/"))

        self._parse(posixpath.join(folder, "_rels", f"{name}.rels"), start)
        return found

    def _read_strings(self, links: dict[str, tuple[str, str]]) -> list[str]:
        part = next((part for kind, part in links.values() if kind == "sharedStrings"), None)
        strings: list[str] = []
        pieces: list[str] = []
        listening = phonetic = False

        def start(tag: str, _: dict[str, str]) -> None:
            nonlocal listening, phonetic
            phonetic = phonetic or tag == "rPh"
            listening = tag == "t" and not phonetic

        def end(tag: str) -> None:
            nonlocal listening, phonetic
            listening = False
            phonetic = phonetic and tag != "rPh"
            if tag == "si":
                strings.append(unescape("".join(pieces)))
                pieces.clear()
                # A text may be shared by a million cells, so its length counts a million times.
                if len(strings[-1]) > LONGEST_CELL:
                    raise SheetFault("it holds a text longer than a cell can be")

        def hear(text: str) -> None:
            if listening:
                pieces.append(text)

        if part:
            self._parse(part, start, end, hear)
        return strings

    def _read_styles(self, links: dict[str, tuple[str, str]]) -> list[tuple[bool, int]]:
        """Give for each cell style whether it shows a date, and how many digits it shows at least."""
        part = next((part for kind, part in links.values() if kind == "styles"), None)
        formats: dict[str, str] = {}
        used: list[str] = []
        in_cell_styles = False

        def start(tag: str, said: dict[str, str]) -> None:
            nonlocal in_cell_styles
            if tag == "numFmt":
                formats[said.get("numFmtId", "")] = said.get("formatCode", "")
            elif tag == "cellXfs":
                in_cell_styles = True
            elif tag == "xf" and in_cell_styles:
                used.append(said.get("numFmtId", "0"))
                if len(used) > MOST_STYLES:
                    raise SheetFault("it has more styles than a workbook can have")

        def end(tag: str) -> None:
            nonlocal in_cell_styles
            in_cell_styles = in_cell_styles and tag != "cellXfs"

        if part:
            self._parse(part, start, end)
        built_in = {str(number) for number in BUILT_IN_DATES}
        return [
            (is_date_format(formats[each]), leading_zeros(formats[each])) if each in formats else (each in built_in, 0)
            for each in used
        ]

    def _parse(
        self,
        part: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] = lambda _: None,
        hear: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Parse one part that is held in memory; tags come without their namespace."""
        parser = safe_parser()
        parser.StartElementHandler = lambda tag, said: start(local_name(tag), said)
        parser.EndElementHandler = lambda tag: end(local_name(tag))
        parser.CharacterDataHandler = hear
        try:
            with self._archive.open(part) as file:
                for size in parsed(parser, file.read):
                    self._held_bytes += size
                    if self._held_bytes > MOST_HELD_BYTES:
                        raise SheetFault(f"its shared texts and styles take more than {MOST_HELD_BYTES // 10**6} MB")
        except SheetFault as fault:
            raise self._broken(str(fault)) from None
        except (KeyError, NotImplementedError, zipfile.BadZipFile, EOFError, OSError, ValueError):
            raise self._broken("it is damaged") from None

    def _broken(self, why: str) -> FileRefused:
        return FileRefused(
            "broken_workbook", f"{self._name}: sheet {self._server.sheet!r} cannot be read for certain: {why}."
        )
