"""Finds rows that stray quotes have swallowed: quoted, they read as one value, and the number of fields is right.

A row that was swallowed is a whole row again once the quotes are ignored. So a row whose values hold line ends is put
together as it was written, without quotes, and cut at its line ends: when at least two of the lines, and at least half
of them, could each be a row of the table, rows were lost. A long note rarely holds as many delimiters in a line as the
table has, and where it does, the key and the types of the columns tell it apart.
"""

import re
from datetime import datetime

import polars as pl

from ingestion.contract import Column

# No note of a care record is longer; a row that is has swallowed others.
MOST_LINES_IN_A_ROW = 1_000

_NUMBER = re.compile(r"[-+(£]?[\d,]*\.?\d+\)?")


def rows_with_swallowed(block: pl.DataFrame, columns: list[Column | None], delimiter: str, quote: str) -> list[int]:
    """Give the places in the block of rows that hold other rows inside their values.

    `columns` are the contract's columns in the order of the file's headers, None where it knows none. A quote inside a
    value is a stray as well, and ignored.
    """
    holds_lines = pl.any_horizontal(pl.all().str.contains("\n", literal=True))
    lines = pl.concat_str(pl.all(), separator=delimiter).str.split("\n")
    is_whole = pl.element().str.count_matches(delimiter, literal=True) == len(columns) - 1
    suspects = (
        block.select(place=pl.int_range(pl.len()), holds_lines=holds_lines, lines=lines)
        .filter("holds_lines")
        .with_columns(whole=pl.col("lines").list.eval(is_whole).list.sum(), many=pl.col("lines").list.len())
        .filter(
            (pl.col("many") > MOST_LINES_IN_A_ROW) | ((pl.col("whole") >= 2) & (pl.col("whole") * 2 >= pl.col("many")))
        )
    )
    # Few rows come so far, if any.
    return [
        place
        for place, lines_of_row, many in suspects.select("place", "lines", "many").iter_rows()
        if many > MOST_LINES_IN_A_ROW
        or _are_rows([line.replace(quote, "").split(delimiter) for line in lines_of_row], columns)
    ]


def _are_rows(lines: list[list[str]], columns: list[Column | None]) -> bool:
    rows = sum(len(fields) == len(columns) and _could_be_row(fields, columns) for fields in lines)
    return rows >= 2 and 2 * rows >= len(lines)


def _could_be_row(fields: list[str], columns: list[Column | None]) -> bool:
    """Tell whether fields look like a row. In doubt they do: a row lost without a word is worse than a question."""
    fits = [(column, _fits(column, text.strip())) for column, text in zip(columns, fields, strict=True) if column]
    if any(fit is False for column, fit in fits if column.key_position):
        return False
    evidence = [fit for _, fit in fits if fit is not None]
    return 2 * sum(evidence) >= len(evidence)


def _fits(column: Column, text: str) -> bool | None:
    """Say whether a text is of the column's type; None when that says nothing."""
    if not text:
        return False if column.required else None
    if column.kind in {"integer", "number"}:
        return bool(_NUMBER.fullmatch(text))
    if column.kind in {"date", "timestamp"}:
        try:
            datetime.strptime(text[:10], column.date_format)  # noqa: DTZ007
        except ValueError:
            return False
        return True
    if column.codes:
        return text.casefold() in {code.casefold() for code in column.codes}
    if column.pattern:
        return bool(re.search(column.pattern, text))
    return None
