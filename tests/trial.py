"""A small made-up source, so that what loading guarantees can be tried without any real contract in the way."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import ingestion.consignment
import ingestion.landing
import ingestion.rejects
import ingestion.withdrawal
from ingestion.contract import Contract, load_contract, load_contracts

HEADER = "REF,PART,NOTE,AMOUNT,SEEN,STATE"
COUNCILS = {f"council{number}": f"Council {number}" for number in range(2000)}
CODES = ("Open", "Closed-Down", "On Hold")
OPERATIONS = ("insert", "update", "delete")


def column(
    name: str, kind: str = "string", sql_type: str = "text", key: int | None = None, **said: Any
) -> dict[str, Any]:
    """One column of a contract, as the standard writes it."""
    keyed = {"primaryKey": True, "primaryKeyPosition": key, "required": True} if key else {}
    return {
        "name": name,
        "physicalName": name.upper(),
        "logicalType": kind,
        "physicalType": sql_type,
        "classification": "internal",
        "description": f"The {name} of a thing.",
        **keyed,
        **said,
    }


def columns() -> list[dict[str, Any]]:
    """The columns of `things`: a key of two, and one value of most types."""
    return [
        column("ref", "integer", "integer", 1),
        column("part", key=2),
        column("note", classification="personal"),
        column("amount", "number", "numeric(9,2)"),
        column("seen", "date", "date", logicalTypeOptions={"format": "dd/MM/yyyy"}),
        column("state", enum=[{"value": code} for code in CODES]),
    ]


def operation() -> dict[str, Any]:
    """The column of a change feed that says what is to be done with a row."""
    return column("operation", required=True, enum=[{"value": each} for each in OPERATIONS])


def write_contract(
    folder: Path,
    table: str = "things",
    *,
    said: Iterable[dict[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    edition: str | None = None,
) -> Path:
    """Write a contract of the source `trial`; `settings` are its custom properties."""
    path = folder / "trial" / (f"{table}.{edition}.yaml" if edition else f"{table}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = {"delivery": "full_snapshot", "rejectLimitPercent": 100, **(settings or {})}
    contract = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": f"trial.{table}",
        "name": "Things",
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "To be tried."},
        "servers": [
            {
                "server": "landing",
                "type": "custom",
                "path": f"{{council}}/trial/{table}_{{date}}.csv",
                "format": "csv",
                "delimiter": ",",
                "encoding": "utf-8",
                **(server or {}),
            }
        ],
        "schema": [
            {
                "name": table,
                "physicalName": f"trial__{table}",
                "logicalType": "object",
                "dataGranularityDescription": "One row is one part of a thing.",
                "description": "Things.",
                "properties": list(said if said is not None else columns()),
            }
        ],
        "team": {"name": "Thing office"},
        "support": [{"channel": "email", "url": "mailto:things@example.org"}],
        "slaProperties": [{"property": "latency", "value": 45, "unit": "d"}],
        "customProperties": [{"property": name, "value": value} for name, value in stated.items()],
    }
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    return path


def contract_of(folder: Path, **said: Any) -> Contract:
    """Write a contract and read it."""
    return load_contract(write_contract(folder, **said))


def use(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[Contract, ...]:
    """Let ingestion know the contracts of that folder and no others, and as many councils as are wanted."""

    def given() -> tuple[Contract, ...]:
        return load_contracts(folder)

    for module in (ingestion.landing, ingestion.withdrawal, ingestion.rejects):
        monkeypatch.setattr(module, "load_contracts", given)
    monkeypatch.setattr(ingestion.consignment, "load_councils", lambda: COUNCILS)
    return given()


def extract(*rows: str, header: str = HEADER) -> str:
    """An extract of things."""
    return "".join(f"{line}\n" for line in (header, *rows))
