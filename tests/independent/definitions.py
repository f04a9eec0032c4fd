"""What of the definitions is data: the registry of measures, the seeds and the variables."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DBT = Path(__file__).parent.parent.parent / "dbt_project"


@cache
def variables() -> dict[str, Any]:
    """Give the configured part of the definitions."""
    return dict(yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"])


@cache
def seed(name: str) -> list[dict[str, str]]:
    """Give the rows of a seed as text."""
    with (DBT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kinds_that(*properties: str) -> set[str]:
    """Give the kinds of service that have every property, such as is_long_term."""
    return {
        kind["service_type_code"]
        for kind in seed("setting_hierarchy")
        if all(kind[which].lower() == "true" for which in properties)
    }


def number_of_kinds(column: str) -> dict[str, int]:
    """Give each kind of service its number in an order of the hierarchy."""
    return {kind["service_type_code"]: int(kind[column]) for kind in seed("setting_hierarchy")}


@dataclass(frozen=True)
class Measure:
    """One measure as the registry states it on a day."""

    measure_id: str
    obtained: str
    formula: str
    has_denominator: bool
    is_charted: bool
    is_money: bool
    polarity: str
    target_basis: str
    tolerance: Decimal
    periods: tuple[str, ...]
    breakdowns: tuple[str, ...]
    needs: tuple[dict[str, Any], ...]


def _breakdowns(version: dict[str, Any]) -> tuple[str, ...]:
    """Give what a measure is broken down by, its own breakdown by the name that the registry gives to it."""
    listed, own = list(version.get("breakdowns", ())), version.get("other_breakdown")
    return tuple(dict.fromkeys(str(own) if one == "other" else one for one in [*listed, *([own] if own else [])]))


@cache
def registry() -> dict[str, Measure]:
    """Give each measure in its newest version."""
    found = {}
    for path in sorted((DBT / "measures").glob("*.yml")):
        for measure in yaml.safe_load(path.read_text(encoding="utf-8"))["measures"]:
            newest = max(measure["versions"], key=lambda version: str(version["valid_from"]))
            found[measure["measure_id"]] = Measure(
                measure["measure_id"],
                newest["obtained"],
                newest["formula"],
                "denominator" in newest,
                newest.get("charted", True),
                newest["unit"].startswith("gbp"),
                newest["polarity"],
                newest["target_basis"],
                Decimal(str(newest["tolerance"])),
                tuple(newest.get("periods", ())),
                _breakdowns(newest),
                tuple(newest.get("needs", ())),
            )
    return found


def calculated() -> dict[str, Measure]:
    """Give the measures that the registry says are calculated: each of them must be compared."""
    return {key: measure for key, measure in registry().items() if measure.obtained == "calculated"}


def projects_of(measure_id: str, council_code: str) -> set[str]:
    """Give the projects that a measure means for a council (measure_projects)."""
    return {
        row["project_ref"]
        for row in seed("measure_projects")
        if (row["measure_id"], row["council_code"]) == (measure_id, council_code)
    }
