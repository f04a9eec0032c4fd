"""Which faults are planted in invented extracts: stated kinds, in stated places, at stated rates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from carehouse.errors import CarehouseError
from ingestion.contract import Column, Contract
from ingestion.synth.extract import contracts
from ingestion.synth.spoiling import CHANGED_VALUES, fits

SETS = Path(__file__).parent / "fault_sets"
ROW_KINDS = ("repeated_row", "conflicting_key")
FILE_KINDS = (
    "truncated_file",
    "empty_file",
    "missing_column",
    "extra_column",
    "shrunk_snapshot",
    "late_delivery",
    "wrong_total",
)
KINDS = (*CHANGED_VALUES, *ROW_KINDS, *FILE_KINDS)
NEEDS_COLUMN = (*CHANGED_VALUES, "conflicting_key", "missing_column")
KEYS = {"table", "kind", "column", "per_thousand", "nights"}


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one table: how many rows in a thousand, or on which nights the whole file."""

    table: str
    kind: str
    column: str | None = None
    per_thousand: float = 0
    nights: tuple[int, ...] = ()
    """The nights, counted from 1; none given means every night."""

    @property
    def is_of_file(self) -> bool:
        """Whether it befalls the file and not some of its rows."""
        return self.kind in FILE_KINDS


@dataclass(frozen=True)
class Plan:
    """All faults to be planted."""

    faults: tuple[Fault, ...] = ()

    def of(self, table: str, night: int) -> list[Fault]:
        """Give the faults of a table on a night, counted from 1."""
        return [each for each in self.faults if each.table == table and (not each.nights or night in each.nights)]


NO_FAULTS = Plan()


def read_plan(named: str) -> Plan:
    """Read a set of faults: one that ships, by its name, or a file of the same form.

    Raises:
        CarehouseError: there is none of that name, or it says something that is not understood.
    """
    path = SETS / f"{named}.yaml"
    path = path if path.is_file() else Path(named)
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in SETS.glob("*.yaml")))
        raise CarehouseError(f"There is no set of faults {named!r}, nor a file of that name; sets are: {known}.")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        if set(said) != {"faults"} or not said["faults"]:
            raise ValueError("the file must hold a list `faults` and nothing else")
        return Plan(tuple(_fault(each) for each in said["faults"]))
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise CarehouseError(f"{path.name}: {error}") from error


def _fault(said: dict[str, Any]) -> Fault:
    unknown = set(said) - KEYS
    if unknown:
        raise ValueError(f"a fault has unknown keys {sorted(unknown)}; known are {', '.join(sorted(KEYS))}")
    fault = Fault(**{**said, "nights": tuple(said.get("nights", ()))})
    if fault.kind not in KINDS:
        raise ValueError(f"there is no fault {fault.kind!r}; there are: {', '.join(KINDS)}")
    contract = contracts().get(fault.table)
    if contract is None:
        raise ValueError(f"there is no table {fault.table!r}")
    if fault.is_of_file == bool(fault.per_thousand):
        raise ValueError(f"{fault.kind} {'takes no' if fault.is_of_file else 'needs'} per_thousand")
    if not 0 <= fault.per_thousand <= 1000:
        raise ValueError("per_thousand must lie between 0 and 1000")
    if (fault.column is not None) != (fault.kind in NEEDS_COLUMN):
        raise ValueError(f"{fault.kind} {'needs a' if fault.column is None else 'takes no'} column")
    if fault.column is not None:
        _refuse_unfit(fault, column_of(contract, fault.column))
    if fault.kind == "wrong_total" and contract.control_total is None:
        raise ValueError(f"{fault.table} has no control total to be wrong")
    return fault


def column_of(contract: Contract, name: str) -> Column:
    """Give a contract's column by its name in the warehouse."""
    found = next((column for column in contract.columns if column.name == name), None)
    if found is None:
        raise ValueError(f"{contract.name} has no column {name!r}")
    return found


def _refuse_unfit(fault: Fault, column: Column) -> None:
    if fault.kind in CHANGED_VALUES and not fits(fault.kind, column):
        raise ValueError(f"{fault.kind} cannot befall {fault.table} {column.name}")
    if fault.kind == "conflicting_key" and column.key_position:
        raise ValueError("conflicting_key needs a column outside the key, in which the rows differ")
