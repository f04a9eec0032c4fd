"""Writes the tables that an office keeps in workbooks as such: a sheet a table, the same seed the same bytes."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import xlsxwriter

from ingestion.contract import Column, Contract
from ingestion.server import Server

# A workbook says when it was made; an invented one was made on a day of its own, so that its bytes repeat.
MADE_ON = datetime(2018, 1, 1, tzinfo=UTC)


def in_workbooks(contracts: dict[str, Contract]) -> dict[str, list[tuple[Contract, Server]]]:
    """Give the workbooks that contracts can be delivered in, by path: each sheet's contract and server."""
    found: dict[str, list[tuple[Contract, Server]]] = {}
    for contract in contracts.values():
        for server in contract.servers:
            if server.format == "xlsx":
                found.setdefault(server.path, []).append((contract, server))
    return found


def write_workbook(
    landing: Path,
    council: str,
    extract_date: date,
    sheets: list[tuple[Contract, Server]],
    held: dict[str, pl.DataFrame],
) -> Path:
    """Write one workbook, which appears under its name only when it is complete.

    `held` gives each table's rows by the contract's name, with the contract's columns by their warehouse names. Dates,
    numbers and whole numbers are typed cells, as in a workbook that people keep; money and shares come as whole
    hundredths.
    """
    path = landing / sheets[0][1].path.format(council=council, date=extract_date.isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with xlsxwriter.Workbook(unfinished) as book:
            book.set_properties({"created": MADE_ON.replace(tzinfo=None)})
            as_date = book.add_format({"num_format": "yyyy-mm-dd"})
            for contract, server in sheets:
                sheet = book.add_worksheet(server.sheet)
                sheet.write_row(server.header_row - 1, 0, [column.header for column in contract.columns])
                rows = held[contract.name]
                for place, column in enumerate(contract.columns):
                    cells = _cells(rows[column.name], column)
                    sheet.write_column(server.header_row, place, cells, as_date if column.kind == "date" else None)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _cells(values: pl.Series, column: Column) -> list[object]:
    if column.kind == "number":
        return [None if each is None else each / 100 for each in values]
    if column.kind == "boolean":
        return [None if each is None else "Y" if each else "N" for each in values]
    return values.to_list()
