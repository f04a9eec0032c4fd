"""The extract files of one council, read by the names and types their contracts give to columns."""

import csv
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

CONTRACTS = Path(__file__).parent.parent.parent / "ingestion" / "contracts"
POUNDS = {"GBP": 1, "GBP_k": 1_000, "GBP_m": 1_000_000}
FORMATS = {"dd/MM/yyyy": "%d/%m/%Y", "yyyy-MM-dd": "%Y-%m-%d"}

Row = SimpleNamespace  # the columns of a contract; None where the extract leaves one blank or lacks it


@cache
def columns_of(table: str) -> list[dict[str, Any]]:
    """Give the columns of a table, as `source.table`, from its contract."""
    path = CONTRACTS / f"{table.replace('.', '/')}.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    return list(contract["schema"][0]["properties"])


@cache
def settings_of(table: str) -> dict[str, Any]:
    path = CONTRACTS / f"{table.replace('.', '/')}.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {setting["property"]: setting["value"] for setting in contract.get("customProperties", [])}


class Extracts:
    """All extracts of one council delivered by the as-at date; `rows("mosaic.persons")` gives typed rows."""

    def __init__(self, council: Path, as_at: date) -> None:
        self.folder, self.council_code, self.as_at = council, council.name, as_at
        self._read: dict[str, list[Row]] = {}

    def rows(self, table: str) -> list[Row]:
        """Give the rows known now: of the newest extract, or of a feed of changes what all of them leave."""
        if table not in self._read:
            paths = [path for _, path in self._files(table)]
            if settings_of(table)["delivery"] == "changes":
                rows = _replayed(table, [row for path in paths for row in _file(table, path)])
            else:
                rows = [row for path in paths[-1:] for row in _file(table, path)]
            self._read[table] = rows
        return self._read[table]

    def deliveries(self, table: str) -> list[tuple[date, list[Row]]]:
        """Give every full extract of a table with the day of its delivery, oldest first."""
        return [(day, _file(table, path)) for day, path in self._files(table)]

    def _files(self, table: str) -> list[tuple[date, Path]]:
        """Give the files delivered by the as-at date with their days, oldest first."""
        source, name = table.split(".")
        paths = sorted((self.folder / source).glob(f"{name}_????-??-??.csv"))
        dated = [(date.fromisoformat(path.stem[-10:]), path) for path in paths]
        return [(day, path) for day, path in dated if day <= self.as_at]


def _replayed(table: str, changes: list[Row]) -> list[Row]:
    """Say of each key what the last change left: inserts and updates give the row, a deletion takes it away."""
    keys = [column["name"] for column in columns_of(table) if column.get("primaryKey")]
    operation = settings_of(table)["operationColumn"]
    left: dict[tuple[Any, ...], Row] = {}
    for row in changes:
        key = tuple(getattr(row, column) for column in keys)
        if getattr(row, operation) == "delete":
            left.pop(key, None)
        else:
            left[key] = row
    return list(left.values())


def _file(table: str, path: Path) -> list[Row]:
    columns = columns_of(table)
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    total = settings_of(table).get("controlTotal")
    trailer: list[str] = []
    if total:
        trailer = lines.pop()
        assert trailer[0] == total["recordMarker"], "no trailer"
    place = {name: position for position, name in enumerate(header)}
    readers = [(column["name"], place.get(column["physicalName"]), column) for column in columns]
    rows = [
        Row(**{name: None if at is None else typed(line[at], column) for name, at, column in readers}) for line in lines
    ]
    if total:
        summed = sum((getattr(row, total["column"]) for row in rows), Decimal(0))
        assert (len(rows), summed) == (int(trailer[1]), Decimal(trailer[2])), "not what the trailer says"
    return rows


def typed(printed: str, column: dict[str, Any]) -> Any:
    """Read one cell as its contract says; blank is None, money is in pounds, exact."""
    if printed == "":
        return None
    kind = column["logicalType"]
    if kind == "date":
        options = column.get("logicalTypeOptions", {})
        return _day(printed, FORMATS[options.get("format", "yyyy-MM-dd")])
    if kind == "integer":
        return int(printed)
    if kind == "boolean":
        return {"Y": True, "N": False}[printed]
    if kind == "number":
        settings = {each["property"]: each["value"] for each in column.get("customProperties", [])}
        plain = printed.replace(",", "")
        if plain.startswith("("):
            plain = "-" + plain.strip("()")
        return Decimal(plain) * POUNDS[settings.get("extractUnit", "GBP")]
    return printed


@cache
def _day(printed: str, form: str) -> date:
    return datetime.strptime(printed, form).date()  # noqa: DTZ007
