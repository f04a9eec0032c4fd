"""Contracts: one Open Data Contract Standard file a source table, the only declaration of what arrives."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import (
    CustomProperty,
    OpenDataContractStandard,
    SchemaProperty,
    Team,
)
from pydantic import ValidationError

from carehouse import strict_yaml
from carehouse.errors import CarehouseError
from ingestion.server import Server, understand_servers

FOLDER = Path(__file__).parent / "contracts"
COUNCILS_FILE = Path(__file__).parent / "councils.yaml"

SQL_TYPES = {
    "string": ("text",),
    "integer": ("integer", "bigint"),
    "number": ("numeric",),
    "date": ("date",),
    "timestamp": ("timestamp",),
    "boolean": ("boolean",),
}
DATE_FORMATS = {"dd/MM/yyyy": "%d/%m/%Y", "yyyy-MM-dd": "%Y-%m-%d"}
POUNDS = {"GBP": 1, "GBP_k": 1_000, "GBP_m": 1_000_000}
CLASSIFICATIONS = ("public", "internal", "personal")
OPTIONS = ("format", "minimum", "maximum", "pattern", "maxLength")
FULL_SNAPSHOT, CHANGES = "full_snapshot", "changes"
OPERATIONS = ("insert", "update", "delete")
NUMBER_FORMATS = ("plain", "accounting")
# Some councils print a saving in brackets, or as a negative amount, where we keep a positive one (R30).
SIGNS = {"as_written": 1, "reversed": -1}
TABLE_SETTINGS = (
    "delivery",
    "operationColumn",
    "deliverySet",
    "rejectLimitPercent",
    "shrinkLimitPercent",
    "blocksAfterDays",
    "controlTotal",
    "extractsFrom",
    "extractsUntil",
    "recordClass",
)
COLUMN_SETTINGS = ("extractUnit", "numberFormat", "signConvention", "patternInWords", "pseudonymColumn")


class ContractError(CarehouseError):
    """A contract says something that is not understood; the message names the file and the place."""


@dataclass(frozen=True)
class Column:
    """One column: what the extract calls it, what it may hold, and what the warehouse keeps."""

    name: str
    header: str
    kind: str
    sql_type: str
    required: bool
    key_position: int | None
    classification: str
    description: str
    date_format: str
    minimum: Decimal | None
    maximum: Decimal | None
    pattern: str | None
    pattern_in_words: str
    max_length: int | None
    codes: tuple[str, ...]
    pounds_per_unit: int
    number_format: str
    pseudonym_column: str | None
    sign: int = 1
    refers_to: str | None = None

    @property
    def names_person(self) -> bool:
        """Whether it holds the number of a person: such a column is called `person_ref`, whatever stands before."""
        return self.name == "person_ref" or self.name.endswith("_person_ref")

    @property
    def scale(self) -> int:
        """Decimal places a number keeps."""
        found = re.search(r",\s*(\d+)\)", self.sql_type)
        return int(found.group(1)) if found else 0

    @property
    def whole_digits(self) -> int:
        """Digits a number may have before its point."""
        found = re.search(r"\((\d+)", self.sql_type)
        return int(found.group(1)) - self.scale if found else 18


@dataclass(frozen=True)
class ControlTotal:
    """The control record of a file, its last one or its first: marker, row count, sum of a column."""

    marker: str
    column: str
    is_first: bool = False

    @property
    def words(self) -> str:
        """What the record is, for people."""
        return f"{self.marker} record (row count, sum of {self.column})"


@dataclass(frozen=True)
class Recognised:
    """What a file's path says: whose delivery it is, of which day, and in which of the declared ways it is written."""

    council: str
    extract_date: date
    server: Server


@dataclass(frozen=True)
class Contract:
    """What one source table delivers. One row of it is what `one_row_is` says."""

    file: Path
    source: str
    table: str
    version: str
    title: str
    description: str
    limitations: str
    usage: str
    one_row_is: str
    servers: tuple[Server, ...]
    columns: tuple[Column, ...]
    owner: str
    contact: str
    stale_after_days: int
    blocks_after_days: int | None
    reject_limit_percent: Decimal
    shrink_limit_percent: Decimal | None
    control_total: ControlTotal | None
    delivery: str
    operation_column: str | None
    delivery_set: str | None
    extracts_from: date | None
    extracts_until: date | None
    record_class: str | None = None
    editions: tuple["Contract", ...] = ()

    @property
    def name(self) -> str:
        """The table's name for people, such as `mosaic.persons`."""
        return f"{self.source}.{self.table}"

    @property
    def history_table(self) -> str:
        """The table in the schema `history` that keeps every version of every row."""
        return f"{self.source}__{self.table}"

    @cached_property
    def key(self) -> tuple[Column, ...]:
        """The columns that tell one row from another, in order."""
        keyed = [column for column in self.columns if column.key_position]
        return tuple(sorted(keyed, key=lambda column: column.key_position or 0))

    @cached_property
    def stored(self) -> tuple[Column, ...]:
        """The columns that history keeps; what a change feed says is to be done with a row is not one of them."""
        return tuple(column for column in self.columns if column.name != self.operation_column)

    @cached_property
    def pseudonymised(self) -> Column | None:
        """The column whose keyed pseudonym is kept beside it, if any."""
        return next((column for column in self.columns if column.pseudonym_column), None)

    @property
    def whom_to_ask(self) -> str:
        """The owner and their address, for messages."""
        return f"{self.owner} <{self.contact}>"

    @property
    def path(self) -> str:
        """Where the file of the first declared server lies."""
        return self.servers[0].path

    @property
    def delimiter(self) -> str:
        """What divides the columns of the first declared server."""
        return self.servers[0].delimiter

    @property
    def encoding(self) -> str:
        """The encoding of the first declared server."""
        return self.servers[0].encoding

    def recognise(self, path: Path) -> Recognised | None:
        """Read council, extract date and server out of a path below the landing folder, or None if not ours."""
        for server in self.servers:
            pattern = (
                re.escape(server.path)
                .replace(r"\{council\}", r"(?P<council>[a-z0-9_]+)")
                .replace(r"\{date\}", r"(?P<date>\d{4}-\d{2}-\d{2})")
            )
            found = re.fullmatch(pattern, path.as_posix())
            if found:
                try:
                    extract_date = date.fromisoformat(found["date"])
                except ValueError:
                    return None
                if self._covers(extract_date):
                    return Recognised(path.parts[0], extract_date, server)
        return None

    def _covers(self, extract_date: date) -> bool:
        """Say whether extracts of that day are written as this edition says; the last day is not one of them."""
        begun = self.extracts_from is None or extract_date >= self.extracts_from
        return begun and (self.extracts_until is None or extract_date < self.extracts_until)


def recognise(contracts: Iterable[Contract], path: Path) -> list[tuple[Contract, Recognised]]:
    """Give the edition of each contract that expects a file of this path; several share a workbook.

    An edition beside the main one is for one council or a stretch of time, and so comes first.
    """
    found = []
    for contract in contracts:
        for edition in (*contract.editions, contract):
            recognised = edition.recognise(path)
            if recognised:
                found.append((edition, recognised))
                break
    return found


def load_contracts(folder: Path = FOLDER) -> tuple[Contract, ...]:
    """Read every contract, in a fixed order, each with the other editions that lie beside it.

    `persons.yaml` is what history keeps of a table; `persons.v1.yaml` or `persons.city.yaml` say how an older
    release, or one council, writes the same table.

    Raises:
        ContractError: a file is not a contract, says something unknown, or there is none at all.
    """
    files = sorted(folder.glob("*/*.yaml"))
    if not files:
        raise ContractError(f"There is no contract in {folder}.")
    read = [load_contract(file) for file in files]
    main = {contract.name: contract for contract in read if contract.file.stem == contract.table}
    editions: dict[str, list[Contract]] = {name: [] for name in main}
    for contract in read:
        if contract.file.stem == contract.table:
            continue
        if contract.name not in main:
            raise ContractError(f"{contract.source}/{contract.file.name}: there is no {contract.table}.yaml beside it")
        _refuse_other_meaning(contract, main[contract.name])
        editions[contract.name].append(contract)
    return tuple(replace(contract, editions=tuple(editions[name])) for name, contract in main.items())


def _refuse_other_meaning(edition: Contract, main: Contract) -> None:
    """An edition may be written differently and may lack columns, but what it fills means the same."""
    place = f"{edition.source}/{edition.file.name}"
    known = {column.name: column for column in main.columns}
    for column in edition.columns:
        meant = known.get(column.name)
        if meant is None:
            raise ContractError(f"{place}: {main.file.name} has no column {column.name}")
        for what in ("kind", "sql_type", "classification", "key_position", "codes", "pseudonym_column"):
            if getattr(column, what) != getattr(meant, what):
                raise ContractError(f"{place}: {column.name} has another {what} than in {main.file.name}")
    given = {column.name for column in edition.columns}
    lacking = [column.name for column in main.columns if column.required and column.name not in given]
    if lacking:
        raise ContractError(f"{place}: lacks {', '.join(lacking)}, which {main.file.name} requires")
    if edition.delivery != main.delivery:
        raise ContractError(f"{place}: delivery is not that of {main.file.name}")


def load_councils(file: Path = COUNCILS_FILE) -> dict[str, str]:
    """Give the name of each council by its code, which is also its folder in the landing folder.

    Raises:
        ContractError: a code is not fit for a folder and a role of the database, or is `all`, which means every one.
    """
    listed: Any = strict_yaml.read(file.read_text(encoding="utf-8"))
    for council in listed["councils"]:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", council["code"]) or council["code"] == "all":
            raise ContractError(
                f"{file.name}: the code {council['code']} is not made of small letters, digits and _, beginning with a "
                "letter, 50 at most; or it is all, which means every council"
            )
    return {council["code"]: council["name"] for council in listed["councils"]}


def load_contract(file: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: naming the file and what in it is not understood.
    """
    try:
        said: Any = strict_yaml.read(file.read_text(encoding="utf-8"))
        standard = OpenDataContractStandard(**said)
        _refuse_unread_keys(said, standard.model_dump(by_alias=True, exclude_unset=True))
        return _understand(file, standard)
    except (yaml.YAMLError, ValidationError, TypeError, ValueError, KeyError, re.error) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ContractError(f"{file.parent.name}/{file.name}: {reason}") from error


def _refuse_unread_keys(said: Any, read: Any, place: str = "") -> None:
    """The standard's package drops keys it does not know inside a column; here they are refused."""
    if isinstance(said, dict):
        for key, value in said.items():
            if key not in read:
                raise ValueError(f"{place or 'the contract'} has an unknown key {key!r}")
            _refuse_unread_keys(value, read[key], f"{place}.{key}".lstrip("."))
    elif isinstance(said, list):
        for number, (each_said, each_read) in enumerate(zip(said, read, strict=True)):
            label = each_said.get("name", number) if isinstance(each_said, dict) else number
            _refuse_unread_keys(each_said, each_read, f"{place}[{label}]")


def _understand(file: Path, standard: OpenDataContractStandard) -> Contract:
    source, table = file.parent.name, file.name.partition(".")[0]
    if standard.id != f"{source}.{table}":
        raise ValueError(f"id must be {source}.{table}, as the file is named")
    (schema,) = _required(standard.schema_, "schema")
    servers = understand_servers(_required(standard.servers, "servers"))
    if schema.physicalName != f"{source}__{table}":
        raise ValueError(f"physicalName must be {source}__{table}")
    settings = _settings(standard.customProperties, TABLE_SETTINGS)
    delivery = _one_of(settings.get("delivery"), (FULL_SNAPSHOT, CHANGES), "delivery")
    if settings.get("controlTotal") and any(server.format == "xlsx" for server in servers):
        raise ValueError("controlTotal is a record of a delimited file; a workbook has none")
    columns = tuple(_column(each) for each in _required(schema.properties, "properties"))
    if not any(column.key_position for column in columns):
        raise ValueError("no column is a primaryKey")
    for what in ("name", "header"):
        names = [getattr(column, what) for column in columns]
        if len(set(names)) < len(names):
            raise ValueError(f"two columns share a {what}")
    operation_column = _operation_column(settings.get("operationColumn"), delivery, columns)
    extracts_from, extracts_until = _day(settings, "extractsFrom"), _day(settings, "extractsUntil")
    if extracts_from and extracts_until and extracts_from >= extracts_until:
        raise ValueError("extractsUntil is not after extractsFrom")
    team = standard.team
    if not isinstance(team, Team):
        raise ValueError("team must say the owner's name")
    promised = {promise.property: promise.value for promise in standard.slaProperties or []}
    stale_after_days = int(_required(promised.get("latency"), "slaProperties latency"))
    (support,) = _required(standard.support, "support")
    description = _required(standard.description, "description")
    return Contract(
        file=file,
        source=source,
        table=table,
        version=_required(standard.version, "version"),
        title=_required(standard.name, "name"),
        description=_required(description.purpose, "description.purpose").strip(),
        limitations=(description.limitations or "").strip(),
        usage=(description.usage or "").strip(),
        one_row_is=_required(schema.dataGranularityDescription, "dataGranularityDescription"),
        servers=servers,
        columns=columns,
        owner=_required(team.name, "team.name"),
        contact=_required(support.url, "support.url").removeprefix("mailto:"),
        stale_after_days=stale_after_days,
        blocks_after_days=_blocks_after(settings.get("blocksAfterDays"), stale_after_days),
        reject_limit_percent=Decimal(str(settings.get("rejectLimitPercent", 0))),
        shrink_limit_percent=_shrink_limit(settings.get("shrinkLimitPercent"), delivery),
        control_total=_control_total(settings.get("controlTotal"), columns),
        delivery=delivery,
        operation_column=operation_column,
        delivery_set=settings.get("deliverySet"),
        extracts_from=extracts_from,
        extracts_until=extracts_until,
        record_class=settings.get("recordClass"),
    )


def _column(said: SchemaProperty) -> Column:
    name = _required(said.name, "a column's name")
    kind = _one_of(said.logicalType, tuple(SQL_TYPES), f"{name}.logicalType")
    sql_type = _required(said.physicalType, f"{name}.physicalType")
    if sql_type.partition("(")[0] not in SQL_TYPES[kind]:
        raise ValueError(f"{name}: {sql_type} does not hold a {kind}")
    options = said.logicalTypeOptions or {}
    unknown = set(options) - set(OPTIONS)
    if unknown:
        raise ValueError(f"{name} has unknown logicalTypeOptions {sorted(unknown)}")
    if "pattern" in options:
        re.compile(options["pattern"])
    settings = _settings(said.customProperties, COLUMN_SETTINGS)
    date_format = options.get("format", "yyyy-MM-dd")
    return Column(
        name=name,
        header=_required(said.physicalName, f"{name}.physicalName"),
        kind=kind,
        sql_type=sql_type,
        required=bool(said.required),
        key_position=said.primaryKeyPosition if said.primaryKey else None,
        classification=_one_of(said.classification, CLASSIFICATIONS, f"{name}.classification"),
        description=_required(said.description, f"{name}.description").strip(),
        date_format=DATE_FORMATS[_one_of(date_format, tuple(DATE_FORMATS), f"{name}.format")],
        minimum=_decimal(options.get("minimum")),
        maximum=_decimal(options.get("maximum")),
        pattern=options.get("pattern"),
        pattern_in_words=settings.get("patternInWords") or f"of the shape {options.get('pattern')}",
        max_length=options.get("maxLength"),
        codes=tuple(str(code.value) for code in said.enum or []),
        pounds_per_unit=POUNDS[_one_of(settings.get("extractUnit", "GBP"), tuple(POUNDS), f"{name}.extractUnit")],
        number_format=_one_of(settings.get("numberFormat", "plain"), NUMBER_FORMATS, f"{name}.numberFormat"),
        pseudonym_column=settings.get("pseudonymColumn"),
        sign=SIGNS[_one_of(settings.get("signConvention", "as_written"), tuple(SIGNS), f"{name}.signConvention")],
        refers_to=_refers_to(said),
    )


def _refers_to(said: SchemaProperty) -> str | None:
    """Read which column of which table the values of this one are numbers of; it may be its own table's."""
    if not said.relationships:
        return None
    (relationship,) = said.relationships
    if relationship.type != "foreignKey" or not re.fullmatch(r"\w+\.\w+\.\w+", str(relationship.to)):
        raise ValueError(f"{said.name}.relationships must be one foreignKey to source.table.column")
    return str(relationship.to)


def _settings(properties: list[CustomProperty] | None, known: tuple[str, ...]) -> dict[str, Any]:
    given = {each.property or "": each.value for each in properties or []}
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"unknown customProperties {sorted(unknown)}; known are {', '.join(known)}")
    return given


def _control_total(said: dict[str, str] | None, columns: tuple[Column, ...]) -> ControlTotal | None:
    if said is None:
        return None
    if not {"recordMarker", "column"} <= set(said) <= {"recordMarker", "column", "record"}:
        raise ValueError("controlTotal must say recordMarker and column, may say record, and nothing else")
    summed = [column for column in columns if column.name == said["column"] and column.kind == "number"]
    if not summed:
        raise ValueError(f"controlTotal names {said['column']!r}, which is not a number column")
    if summed[0].sign != 1:
        raise ValueError(f"controlTotal sums {said['column']!r}, so its signConvention must be as_written")
    place = _one_of(said.get("record", "last"), ("first", "last"), "controlTotal.record")
    return ControlTotal(said["recordMarker"], said["column"], is_first=place == "first")


def _operation_column(said: str | None, delivery: str, columns: tuple[Column, ...]) -> str | None:
    """A change feed says with each row what is to be done with it."""
    if delivery == FULL_SNAPSHOT:
        if said is not None:
            raise ValueError("operationColumn is for a table whose delivery is changes")
        return None
    found = next((column for column in columns if column.name == said), None)
    if found is None or not found.required or set(found.codes) != set(OPERATIONS):
        raise ValueError(
            f"delivery changes needs operationColumn, a required column with the codes {', '.join(OPERATIONS)}"
        )
    return found.name


def _shrink_limit(said: Any, delivery: str) -> Decimal | None:
    if said is None:
        return None
    if delivery == CHANGES:
        raise ValueError("shrinkLimitPercent is for a table whose delivery is full_snapshot")
    limit = Decimal(str(said))
    if not 0 <= limit <= 100:
        raise ValueError("shrinkLimitPercent must lie between 0 and 100")
    return limit


def _blocks_after(said: Any, stale_after_days: int) -> int | None:
    if said is None:
        return None
    if not isinstance(said, int) or said < stale_after_days:
        raise ValueError(f"blocksAfterDays must be a number of days, no less than the latency of {stale_after_days}")
    return said


def _day(settings: dict[str, Any], setting: str) -> date | None:
    said = settings.get(setting)
    try:
        return None if said is None else date.fromisoformat(str(said))
    except ValueError:
        raise ValueError(f"{setting} must be a day, written 2019-04-01") from None


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _required(value: Any, place: str) -> Any:
    if not value and value != 0:
        raise ValueError(f"{place} is missing")
    return value


def _one_of(value: Any, allowed: tuple[str, ...], place: str) -> str:
    if value not in allowed:
        raise ValueError(f"{place} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return str(value)
