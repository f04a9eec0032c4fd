"""Arrival suites as people write them: one file for every table and one beside it for what differs for a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from carehouse import strict_yaml
from carehouse.arrival import Tables
from expectations.arrival.kinds import KINDS, Kind
from expectations.suite import Identifier, Owner, Sentence, SuiteError, explained
from expectations.verdict import Severity

SUITES = Path(__file__).parent / "suites"
EVERY_TABLE = "every_table"


class Check(BaseModel):
    """One check of a delivery: what is measured and allowed, what that protects, and whom to ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    kind: str
    thresholds: Kind = Field(default_factory=Kind, validate_default=True)
    severity: Severity
    says: Sentence
    owner: Owner | None = None

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"unknown kind '{kind}'; allowed: {', '.join(KINDS)}")
        return kind

    @field_validator("thresholds", mode="before")
    @classmethod
    def _are_understood(cls, thresholds: object, info: ValidationInfo) -> Kind:
        form = KINDS.get(info.data.get("kind", ""))
        if form is None:
            return Kind()
        try:
            return form.model_validate({} if isinstance(thresholds, Kind) else thresholds)
        except ValidationError as error:
            raise ValueError("; ".join(explained(form, error))) from None


class _Tuning(BaseModel):
    """What one table says otherwise of a check that every table has."""

    model_config = ConfigDict(extra="forbid")

    thresholds: dict[str, Any] = {}
    severity: Severity | None = None
    owner: Owner | None = None
    because: Sentence


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tune: dict[str, _Tuning] = {}
    checks: list[dict[str, Any]] = []


@dataclass(frozen=True)
class ArrivalSuites:
    """The checks of every table, and those of the tables that have a file of their own."""

    of_every_table: tuple[Check, ...]
    of_table: Mapping[str, tuple[Check, ...]]

    def checks(self, table: str) -> tuple[Check, ...]:
        """Give the checks of a delivery of `table`, such as `mosaic.persons`."""
        return self.of_table.get(table, self.of_every_table)


def load(tables: Tables, folder: Path = SUITES) -> ArrivalSuites:
    """Read every arrival suite. `tables` are those that have a contract, with their columns.

    Raises:
        SuiteError: a file is for no table, a key, kind, threshold, column or owner is missing or not understood, a
            check that is tuned does not exist, or no check is left. Every fault is named with what is allowed.
    """
    faults: list[str] = []
    common = folder / f"{EVERY_TABLE}.yaml"
    if not common.exists():
        raise SuiteError(f"{common}: is missing, so a table without a file of its own would not be checked")
    form = _read(common, faults)
    written = {str(check.get("id")): check for check in form.checks}
    of_every_table = _understood(common, form.checks, None, faults)
    if form.tune:
        faults.append(f"{common}: 'tune' is allowed in the file of a table alone")
    if not form.checks and not faults:
        faults.append(f"{common}: there is no check")
    of_table: dict[str, tuple[Check, ...]] = {}
    for file in sorted(folder.iterdir()):
        if file == common or file.name.startswith((".", "__")):
            continue
        if file.suffix != ".yaml" or file.stem not in tables:
            faults.append(f"{file}: no contract is of a table of this name; allowed: <source>.<table>.yaml")
            continue
        form = _read(file, faults)
        tuned = [*(_tuned(file, check, form, faults) for check in written.values()), *form.checks]
        for unknown in sorted(form.tune.keys() - written.keys()):
            faults.append(f"{file}, tune: unknown check '{unknown}'; allowed: {', '.join(written)}")
        of_table[file.stem] = _understood(file, tuned, tables[file.stem], faults)
    if faults:
        raise SuiteError("\n".join(dict.fromkeys(faults)))
    return ArrivalSuites(of_every_table, of_table)


def _read(file: Path, faults: list[str]) -> _Form:
    try:
        return _Form.model_validate(strict_yaml.read(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        faults.append(f"{file}{where}: {getattr(error, 'problem', None) or type(error).__name__}")
    except ValidationError as error:
        faults += [f"{file}: {fault}" for fault in explained(_Form, error)]
    return _Form()


def _tuned(file: Path, check: dict[str, Any], form: _Form, faults: list[str]) -> dict[str, Any]:
    tuning = form.tune.get(str(check.get("id")))
    if tuning is None:
        return check
    if not (tuning.thresholds or tuning.severity or tuning.owner):
        faults.append(f"{file}, tune {check['id']}: says nothing; allowed: thresholds, severity, owner")
    said = {"severity": tuning.severity, "owner": tuning.owner}
    return {
        **check,
        **{key: value for key, value in said.items() if value is not None},
        "thresholds": {**check.get("thresholds", {}), **tuning.thresholds},
    }


def _understood(
    file: Path, written: list[dict[str, Any]], columns: Mapping[str, str | None] | None, faults: list[str]
) -> tuple[Check, ...]:
    checks: list[Check] = []
    for position, said in enumerate(written, start=1):
        where = f"{file}, check {said.get('id', f'number {position}')}"
        try:
            check = Check.model_validate(said)
        except ValidationError as error:
            faults += [f"{where}: {fault}" for fault in explained(Check, error)]
            continue
        if check.id in {each.id for each in checks}:
            faults.append(f"{where}: this id is used already")
        named = check.thresholds.named_columns()
        if columns is None and named:
            faults.append(f"{where}: 'columns' is allowed in the file of a table alone")
        if columns is not None:
            allowed = [column for column, by in columns.items() if check.thresholds.about in (None, by)]
            for column in named:
                if column not in allowed:
                    faults.append(f"{where}: '{column}' is no such column; allowed: {', '.join(allowed) or 'none'}")
        checks.append(check)
    return tuple(checks)
