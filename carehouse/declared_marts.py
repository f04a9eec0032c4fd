"""The marts as the dbt project declares them: columns, types, keys, words, and the day after which a version goes.

They are read from the YAML beside the models, which dbt enforces on the tables it builds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from carehouse import strict_yaml
from carehouse.promise import Promise

FOLDER = Path("dbt_project/models/marts")
# As store.is_plain, which decides at publication, has it. A number in .NET holds 28 digits.
PLAIN = re.compile(r"text|bigint|integer|date|timestamptz|boolean|numeric\((?P<digits>\d+),\d+\)")
MOST_DIGITS = 28
# What every row of figures says of itself, unless the mart's meta says `holds_figures: false`.
OF_FIGURES = ("publication_id", "council_code", "as_at_date", "data_status_code")


@dataclass(frozen=True)
class DeclaredMart:
    """One mart, or one version of one, as dbt will build it."""

    promise: Promise
    file: Path
    faults: tuple[str, ...]


def declared(project: Path) -> dict[str, DeclaredMart]:
    """Give every mart that the dbt project declares, by the name readers see.

    `faults` says what may not be published: a type that some reader's tool does not understand, a column without words,
    figures that do not say how far they can still change.
    """
    found = {}
    for file in sorted((project / FOLDER).rglob("*.yml")):
        said: Any = strict_yaml.read(file.read_text(encoding="utf-8"))
        for model in said.get("models", ()):
            for mart in _versions(model, file.relative_to(project)):
                found[mart.promise.mart] = mart
    return found


def _versions(model: dict[str, Any], file: Path) -> Iterator[DeclaredMart]:
    unversioned: list[dict[str, Any]] = [{}]
    for version in model.get("versions") or unversioned:
        number = int(version.get("v", 1))
        columns = _columns_of(model, version)
        constraints = version.get("constraints") or model.get("constraints", ())
        key = next((rule["columns"] for rule in constraints if rule["type"] == "primary_key"), ())
        name = model["name"] if number == 1 else f"{model['name']}_v{number}"
        promise = Promise(
            mart=name,
            columns={column["name"]: _kind(column) for column in columns},
            key=tuple(key),
            deprecation_date=_day(version.get("deprecation_date") or model.get("deprecation_date")),
        )
        yield DeclaredMart(promise, file, tuple(_faults(name, model, columns)))


def _columns_of(model: dict[str, Any], version: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the columns of a version: dbt starts from the model's, leaves some out, and adds the version's own."""
    own = [column for column in version.get("columns", ()) if "name" in column]
    chosen = next((column for column in version.get("columns", ()) if "include" in column), {"include": "all"})
    included, excluded = chosen["include"], chosen.get("exclude", ())
    return [
        column
        for column in model.get("columns", ())
        if (included in ("all", "*") or column["name"] in included) and column["name"] not in excluded
    ] + own


def _kind(column: dict[str, Any]) -> str:
    kind = re.sub(r"\s*([(),])\s*", r"\1", str(column.get("data_type", "of no declared type")).strip().lower())
    never_empty = any(rule["type"] == "not_null" for rule in column.get("constraints", ()))
    return f"{kind} not null" if never_empty else kind


def _day(given: object) -> date | None:
    if isinstance(given, datetime):
        return given.date()
    return given if isinstance(given, date) or given is None else date.fromisoformat(str(given)[:10])


def _faults(name: str, model: dict[str, Any], columns: list[dict[str, Any]]) -> Iterator[str]:
    if not str(model.get("description", "")).strip():
        yield f"mart.{name} has no description"
    meta = model.get("config", {}).get("meta", {})
    if not meta.get("one_row_is"):
        yield f"mart.{name} does not say what one row is (config, meta, one_row_is)"
    if name.startswith("kpi_") and meta.get("holds_figures", True):
        missing = [column for column in OF_FIGURES if column not in [one["name"] for one in columns]]
        if missing:
            yield f"mart.{name} holds figures and lacks {', '.join(missing)}; see the macro data_status_code"
    for column in columns:
        kind = _kind(column).removesuffix(" not null")
        plain = PLAIN.fullmatch(kind)
        if not plain or int(plain["digits"] or 0) > MOST_DIGITS:
            yield (
                f"mart.{name}: column {column['name']} is {kind}, which not every reader's tool understands; use text, "
                f"bigint, integer, date, timestamptz, boolean, or numeric of at most {MOST_DIGITS} digits"
            )
        if not str(column.get("description", "")).strip():
            yield f"mart.{name}: column {column['name']} has no description"
