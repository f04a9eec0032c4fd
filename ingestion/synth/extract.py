"""Writes one extract as its contract says: headers, delimiter, date formats, money, trailer."""

from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from ingestion.contract import Column, Contract, load_contracts


def write_extract(landing: Path, council: str, name: str, extract_date: date, rows: pl.DataFrame) -> Path:
    """Write one file, which appears under its name only when it is complete.

    Args:
        landing: The landing folder.
        council: The council's code.
        name: The contract's name, such as `ledger.lines`.
        extract_date: The date in the file's name.
        rows: The contract's columns by their warehouse names; dates as dates, money as whole pence.

    Raises:
        ValueError: The rows do not have exactly the contract's columns.
    """
    contract = _contracts()[name]
    if set(rows.columns) != {column.name for column in contract.columns}:
        raise ValueError(f"{name}: the invented columns are not those of the contract")
    path = landing / contract.path.format(council=council, date=extract_date.isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            rows.select(_as_text(column) for column in contract.columns).write_csv(file, separator=contract.delimiter)
            file.write(_trailer(contract, rows).encode(contract.encoding))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


@cache
def _contracts() -> dict[str, Contract]:
    return {contract.name: contract for contract in load_contracts()}


def _as_text(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "date":
        value = value.dt.strftime(column.date_format)
    elif column.kind == "number":
        value = _pounds(value)
    return value.alias(column.header)


def _pounds(pence: pl.Expr) -> pl.Expr:
    # Text built from whole pence: a float on the way would lose a penny somewhere.
    return pl.format(
        "{}{}.{}",
        pl.when(pence < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        pence.abs() // 100,
        (pence.abs() % 100).cast(pl.String).str.zfill(2),
    )


def _trailer(contract: Contract, rows: pl.DataFrame) -> str:
    if contract.control_total is None:
        return ""
    total = int(rows[contract.control_total.column].sum())
    pounds, pence = divmod(abs(total), 100)
    sign = "-" if total < 0 else ""
    fields = (contract.control_total.marker, str(rows.height), f"{sign}{pounds}.{pence:02d}")
    return contract.delimiter.join(fields) + "\n"
