"""Reads the rows of a worksheet as a stream: memory is one row, however long the sheet, whatever its XML claims."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from xml.parsers import expat

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
LONGEST_ROW_CHARACTERS = 2 << 20
LONGEST_TAG_BYTES = 1 << 20
READ_BYTES = 64 << 10
NOT_CALCULATED = "not calculated"

_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


class SheetFault(Exception):
    """The XML is not a worksheet that Excel could have written. Says why, with a row but no value."""


class Cell(NamedTuple):
    """What is written in a cell.

    `kind` is the format's own letter (`n`, `s`, `str`, `b`, `e`, `d`, `inlineStr`), or `NOT_CALCULATED` for a formula
    without a result to be trusted; its text is then the number of the row.
    """

    column: int
    kind: str
    style: int
    text: str


@dataclass(frozen=True)
class Row:
    """A row with at least one filled cell; `number` counts from 1 as Excel shows it."""

    number: int
    cells: list[Cell]


@dataclass(frozen=True)
class Merged:
    """A range of cells shown as one; only its first cell has a value."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


class SheetReader:
    """The rows of one sheet, top to bottom; `merged` is known after the last."""

    def __init__(self, read: Callable[[int], bytes], results_are_current: bool) -> None:
        """`read` gives the next bytes of the sheet's XML, none at the end.

        `results_are_current` is false when the workbook itself says that its formulas are yet to be calculated.
        """
        self._read, self._results_are_current = read, results_are_current
        self.merged: list[Merged] = []
        self._ready: list[Row] = []
        self._cells: list[Cell] = []
        self._row = self._column = self._characters = 0
        self._row_text = "0"
        self._kind, self._style = "n", 0
        self._text: list[str] = []
        self._begin: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self._begin_row,
            "c": self._begin_cell,
            "v": self._begin_value,
            "t": self._begin_text,
            "f": self._begin_formula,
            "rPh": self._begin_phonetic,
        }
        self._finish: dict[str, Callable[[], None]] = {
            "sheetData": self._end_data,
            "row": self._end_row,
            "c": self._end_cell,
            "v": self._end_text,
            "t": self._end_text,
            "rPh": self._end_phonetic,
        }
        self._in_data = self._listening = self._has_formula = self._has_value = self._in_phonetic = False

    def rows(self) -> Iterator[Row]:
        """Give the rows that hold anything.

        Raises:
            SheetFault: the sheet is not well-formed, out of order or out of bounds.
        """
        parser = safe_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        for _ in parsed(parser, self._read):
            yield from self._ready
            self._ready.clear()

    def _start(self, tag: str, said: dict[str, str]) -> None:
        # Drawings behind the cells have rows and values of their own, so only what lies in the data is looked at.
        if self._in_data:
            begin = self._begin.get(local_name(tag))
            if begin:
                begin(said)
        elif local_name(tag) == "sheetData":
            self._in_data = True
        elif local_name(tag) == "mergeCell":
            self._merge(said.get("ref", ""))

    def _end(self, tag: str) -> None:
        if self._in_data:
            finish = self._finish.get(local_name(tag))
            if finish:
                finish()

    def _begin_value(self, _: dict[str, str]) -> None:
        self._has_value = self._listening = True

    def _begin_text(self, _: dict[str, str]) -> None:
        self._has_value = True
        self._listening = not self._in_phonetic

    def _begin_formula(self, _: dict[str, str]) -> None:
        self._has_formula = True

    def _begin_phonetic(self, _: dict[str, str]) -> None:
        self._in_phonetic = True

    def _end_data(self) -> None:
        self._in_data = False

    def _end_text(self) -> None:
        self._listening = False

    def _end_phonetic(self) -> None:
        self._in_phonetic = False

    def _end_row(self) -> None:
        if self._cells:
            self._ready.append(Row(self._row, self._cells))
            self._cells = []

    def _hear(self, text: str) -> None:
        if self._listening:
            self._characters += len(text)
            if self._characters > LONGEST_ROW_CHARACTERS:
                raise SheetFault(f"row {self._row} is longer than {LONGEST_ROW_CHARACTERS >> 20} MB")
            self._text.append(text)

    def _begin_row(self, said: dict[str, str]) -> None:
        number = said.get("r", str(self._row + 1))
        row = int(number) if number.isdecimal() and len(number) < 9 else 0
        if not self._row < row <= MOST_ROWS:
            raise SheetFault(f"behind row {self._row} comes one that is out of order or out of bounds")
        self._row, self._row_text, self._column, self._characters = row, str(row), 0, 0

    def _begin_cell(self, said: dict[str, str]) -> None:
        column = self._column + 1
        ref = said.get("r")
        if ref is not None:
            letters = ref.rstrip("0123456789")
            column = column_number(letters)
            if ref[len(letters) :] != self._row_text or column <= self._column:
                raise SheetFault(f"in row {self._row} the cells are out of order")
        if column > MOST_COLUMNS:
            raise SheetFault(f"row {self._row} has more columns than a sheet can have")
        style = said.get("s")
        self._column = column
        self._kind = said.get("t", "n")
        self._style = int(style) if style and style.isdecimal() and len(style) < 9 else 0
        self._text = []
        self._has_formula = self._has_value = False

    def _end_cell(self) -> None:
        text = "".join(self._text)
        if self._has_formula and not (self._has_value and self._results_are_current):
            # A blank or an old result would pass for the true one. Above the table and beside it nobody minds.
            self._cells.append(Cell(self._column, NOT_CALCULATED, self._style, str(self._row)))
        elif text:
            self._cells.append(Cell(self._column, self._kind, self._style, text))

    def _merge(self, ref: str) -> None:
        first, _, last = ref.partition(":")
        (first_column, first_row), (last_column, last_row) = place(first), place(last or first)
        self.merged.append(Merged(first_row, last_row, first_column, last_column))
        if len(self.merged) > MOST_ROWS:
            raise SheetFault("it merges more cells than a sheet has rows")


def place(ref: str) -> tuple[int, int]:
    """Read `B7` as column 2, row 7.

    Raises:
        SheetFault: it is not the name of a cell.
    """
    found = _PLACE.fullmatch(ref)
    if not found:
        raise SheetFault("it names a cell that no sheet has")
    return column_number(found.group(1)), int(found.group(2))


@lru_cache(maxsize=MOST_COLUMNS)
def column_number(letters: str) -> int:
    """Read `AA` as column 27; what is no column is beyond the last."""
    if not 0 < len(letters) < 4 or not letters.isascii() or not letters.isalpha() or not letters.isupper():
        return MOST_COLUMNS + 1
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column


@lru_cache
def local_name(tag: str) -> str:
    """Give a tag's name without its namespace."""
    return tag.rpartition(" ")[2]


def parsed(parser: expat.XMLParserType, read: Callable[[int], bytes]) -> Iterator[int]:
    """Parse a part to its end; give after each piece how many bytes it had.

    Raises:
        SheetFault: it is not well-formed, or holds a tag longer than any workbook's.
    """
    fed = 0
    try:
        while data := read(READ_BYTES):
            parser.Parse(data, False)
            fed += len(data)
            # Text is passed on as it comes, but a tag is held until it ends.
            if fed - parser.CurrentByteIndex > LONGEST_TAG_BYTES:
                raise SheetFault("its XML is damaged")
            yield len(data)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise SheetFault("its XML is damaged") from None
    yield 0


def safe_parser() -> expat.XMLParserType:
    """Make a parser that refuses document types: without them no entity can be declared, so none can expand."""

    def refuse(*_: object) -> None:
        raise SheetFault("its XML declares a document type, which no workbook does")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser
