"""Writes one extract as its contract says: headers, delimiter, date formats, money, control record."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO

import polars as pl

from ingestion.contract import Column, Contract, ControlTotal, load_contracts

# Changes text rows on their way into a file; is told the line on which the first of them will stand.
Spoil = Callable[[pl.DataFrame, int], pl.DataFrame]


def write_extract(
    landing: Path,
    council: str,
    name: str,
    extract_date: date,
    rows: pl.DataFrame | Iterable[pl.DataFrame],
    spoil: Spoil | None = None,
) -> Path | None:
    """Write one file, which appears under its name only when it is complete.

    A system with nothing to say sends no file: without a row none is written, and None is given.

    Args:
        landing: The landing folder.
        council: The council's code.
        name: The contract's name, such as `ledger.lines`.
        extract_date: The date in the file's name.
        rows: The contract's columns by their warehouse names; dates as dates, money, units and shares as
            whole hundredths. Parts are written one after another, and only one of them is in memory.
        spoil: Plants faults in the rows as they will stand in the file.

    Raises:
        ValueError: The rows do not have exactly the contract's columns.
    """
    contract = contracts()[name]
    path = landing / contract.path.format(council=council, date=extract_date.isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            count = _write(file, contract, [rows] if isinstance(rows, pl.DataFrame) else rows, spoil)
        if not count:
            return None
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


@cache
def contracts() -> dict[str, Contract]:
    """Give every contract by its name."""
    return {contract.name: contract for contract in load_contracts()}


def _write(file: BinaryIO, contract: Contract, parts: Iterable[pl.DataFrame], spoil: Spoil | None) -> int:
    promised = contract.control_total
    if promised is not None and promised.is_first:
        # What the first record says is known last.
        with TemporaryFile() as body:
            count, total = _write_rows(body, contract, parts, spoil)
            file.write(_control_record(contract, promised, count, total))
            body.seek(0)
            copyfileobj(body, file)
        return count
    count, total = _write_rows(file, contract, parts, spoil)
    if promised is not None:
        file.write(_control_record(contract, promised, count, total))
    return count


def _write_rows(
    file: BinaryIO, contract: Contract, parts: Iterable[pl.DataFrame], spoil: Spoil | None
) -> tuple[int, int]:
    """Write header and rows; give how many rows, and the sum of the controlled column in hundredths."""
    header = contract.delimiter.join(column.header for column in contract.columns)
    file.write(f"{header}\n".encode(contract.encoding))
    first_line = 3 if contract.control_total is not None and contract.control_total.is_first else 2
    count = total = 0
    for rows in parts:
        if set(rows.columns) != {column.name for column in contract.columns}:
            raise ValueError(f"{contract.name}: the invented columns are not those of the contract")
        text = rows.select(_as_text(column, rows.schema[column.name]) for column in contract.columns)
        if spoil is not None:
            text = spoil(text, count + first_line)
        text.write_csv(file, separator=contract.delimiter, include_header=False)
        count += text.height
        if contract.control_total is not None:
            total += int(rows[contract.control_total.column].sum())
    return count, total


def _as_text(column: Column, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "date":
        value = value.dt.strftime(column.date_format)
    elif column.kind == "number":
        sent = value * column.sign
        value = _accounted(sent) if column.number_format == "accounting" else _pounds(sent)
    elif dtype == pl.Boolean:
        value = pl.when(value).then(pl.lit("Y")).when(~value).then(pl.lit("N"))
    return value.cast(pl.String).alias(column.header)


def _pounds(pence: pl.Expr) -> pl.Expr:
    # Text built from whole pence: a float on the way would lose a penny somewhere.
    return pl.format(
        "{}{}.{}",
        pl.when(pence < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        pence.abs() // 100,
        (pence.abs() % 100).cast(pl.String).str.zfill(2),
    )


def _accounted(pence: pl.Expr) -> pl.Expr:
    """Write an amount as spreadsheets do: thousands separated, a negative one in brackets."""
    pounds = (pence.abs() // 100).cast(pl.String).str.reverse().str.replace_all(r"(\d{3})", "$1,").str.reverse()
    amount = pl.format("{}.{}", pounds.str.strip_prefix(","), (pence.abs() % 100).cast(pl.String).str.zfill(2))
    return pl.when(pence < 0).then(pl.format("({})", amount)).otherwise(amount)


def _control_record(contract: Contract, promised: ControlTotal, count: int, total: int) -> bytes:
    pounds, pence = divmod(abs(total), 100)
    sign = "-" if total < 0 else ""
    fields = (promised.marker, str(count), f"{sign}{pounds}.{pence:02d}")
    return f"{contract.delimiter.join(fields)}\n".encode(contract.encoding)
