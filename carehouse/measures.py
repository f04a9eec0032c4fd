"""The registry of measures: one YAML file an area, refused when read if a word in it is not understood."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails

from carehouse import strict_yaml
from carehouse.errors import CarehouseError
from carehouse.settings import PROJECT

FOLDER = PROJECT / "dbt_project" / "measures"
DATASETS = PROJECT / "dbt_project" / "seeds" / "datasets.csv"
ALL_MEASURES = tuple(f"K{number:03}" for number in range(1, 71))

Obtained = Literal["calculated", "reported", "waiting"]
Formula = Literal[
    "total",
    "percent",
    "average",
    "above_base_year",
    "below_base_year",
    "above_base_year_cumulative",
    "above_target",
    "as_stated",
]
Unit = Literal[
    "percent",
    "gbp",
    "gbp_per_week",
    "gbp_per_year",
    "people",
    "carers",
    "households",
    "reviews",
    "completions",
    "moves",
    "assessments",
    "placements",
    "packages",
    "projects",
    "units",
    "hours",
    "days",
    "months",
    "contacts",
    "installations",
    "agreements",
    "enquiries",
    "rate",
    "status",
]
Polarity = Literal["high", "low", "neither", "maintain"]
Period = Literal["month", "quarter", "year_to_date", "month_end", "rolling_12_months", "financial_year"]
Breakdown = Literal["team", "age_band", "support_reason", "other"]
TargetBasis = Literal["same_each_period", "spread_evenly", "whole_year", "none"]

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, Field(min_length=1)]
DIVIDES = ("percent", "average")
COMPARES_YEARS = ("above_base_year", "below_base_year", "above_base_year_cumulative")


@cache
def _datasets() -> tuple[str, ...]:
    with DATASETS.open(encoding="utf-8", newline="") as listed:
        return tuple(row["dataset_code"] for row in csv.DictReader(listed))


class MeasuresError(CarehouseError):
    """The registry cannot be relied upon; the message lists every fault with its file, measure and field."""

    exit_code = 4


class Need(BaseModel):
    """What the extracts must hold of one dataset before a figure may be shown.

    Whole months up to the month end (`months`), or every month since the start of its financial year (`since`); with
    neither, the months of the period that is measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Identifier
    months: Annotated[int, Field(ge=1, le=120)] | None = None
    since: Literal["financial_year_start"] | None = None

    @field_validator("dataset")
    @classmethod
    def _is_listed(cls, dataset: str) -> str:
        if dataset not in _datasets():
            raise ValueError(f"there is no dataset {dataset} in {DATASETS.name}; there are: {', '.join(_datasets())}")
        return dataset

    @model_validator(mode="after")
    def _has_one_window(self) -> "Need":
        if self.months is not None and self.since is not None:
            raise ValueError("give months or since, not both")
        return self


class Version(BaseModel):
    """What a measure means from one day on.

    `charted: false` keeps control limits off its months: each figure contains those before it, or is a forecast.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    valid_from: date
    obtained: Obtained
    sources: Annotated[list[Words], Field(alias="from", min_length=1)]
    definition: Words
    numerator: Words
    denominator: Words | None = None
    formula: Formula
    unit: Unit
    polarity: Polarity
    periods: Annotated[list[Period], Field(min_length=1)]
    breakdowns: list[Breakdown] = []
    other_breakdown: Identifier | None = None
    target_basis: TargetBasis
    tolerance: Annotated[Decimal, Field(ge=0)]
    charted: bool = True
    needs: list[Need] = []
    source: Identifier
    owner: Words
    cautions: Words

    @field_validator("definition", "numerator", "denominator", "owner", "cautions", mode="before")
    @classmethod
    def _on_one_line(cls, words: object) -> object:
        return " ".join(words.split()) if isinstance(words, str) else words

    @field_validator("periods", "breakdowns")
    @classmethod
    def _each_once(cls, named: list[str], info: ValidationInfo) -> list[str]:
        twice = [name for name, count in Counter(named).items() if count > 1]
        if twice:
            raise ValueError(f"{info.field_name} names {', '.join(twice)} more than once")
        return named

    @model_validator(mode="before")
    @classmethod
    def _other_breakdown_is_named(cls, given: Any) -> Any:
        """Count a breakdown of the measure's own as listed, and let it be listed by name: `setting` for `other`."""
        named = given.get("other_breakdown") if isinstance(given, dict) else None
        if named is None or not isinstance(given.get("breakdowns", []), list):
            return given
        listed = ["other" if one == named else one for one in given.get("breakdowns", [])]
        return {**given, "breakdowns": listed if "other" in listed else [*listed, "other"]}

    @model_validator(mode="after")
    def _holds_together(self) -> "Version":
        if "other" in self.breakdowns and self.other_breakdown is None:
            raise ValueError("other_breakdown must say what 'other' is")
        if self.formula in DIVIDES and self.denominator is None:
            raise ValueError(f"denominator is missing: formula {self.formula} divides by it")
        if self.formula == "percent" and self.unit != "percent":
            raise ValueError("unit must be percent with formula percent")
        if self.obtained != "calculated" and self.formula != "as_stated":
            raise ValueError(f"formula must be as_stated where a measure is {self.obtained}")
        if self.formula in COMPARES_YEARS and self.periods != ["year_to_date"]:
            raise ValueError(f"periods must be year_to_date alone: formula {self.formula} compares years to date")
        if self.obtained == "calculated" and not all(re.fullmatch(r"[a-z][a-z0-9_]*", one) for one in self.sources):
            raise ValueError("from must name tables of the marts where a measure is calculated")
        return self


class Measure(BaseModel):
    """One measure with every version of its meaning, oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure_id: Annotated[str, Field(pattern=r"^K\d{3}$")]
    measure_name: Words
    versions: Annotated[list[Version], Field(min_length=1)]

    @field_validator("versions")
    @classmethod
    def _follow_one_another(cls, versions: list[Version]) -> list[Version]:
        starts = [version.valid_from for version in versions]
        if starts != sorted(set(starts)):
            raise ValueError("each version's valid_from must be later than the one's before it, or they overlap")
        return versions


@dataclass(frozen=True)
class Registered:
    """A measure and the area whose file it stands in."""

    area: str
    measure: Measure


def load(folder: Path = FOLDER, expected: Iterable[str] | None = ALL_MEASURES) -> tuple[Registered, ...]:
    """Read the registry, in order of measure.

    Every measure of `expected` is there once, no other is, and nothing in any entry was guessed.

    Raises:
        MeasuresError: a file is not YAML of this form, a key is misspelt, missing or given twice, a word is not one of
            those allowed, versions overlap, or a measure is absent, unknown or there twice.
    """
    registered: list[Registered] = []
    faults: list[str] = []
    for file in sorted(folder.glob("*.y*ml")):
        try:
            entries = _entries(file)
        except MeasuresError as error:
            faults.append(str(error))
            continue
        for entry in entries:
            try:
                registered.append(Registered(file.stem, Measure.model_validate(entry)))
            except ValidationError as error:
                faults += _explained(file, entry, error)
    counts = Counter(one.measure.measure_id for one in registered)
    faults += [
        f"{folder}: {measure_id} is there {count} times, in "
        + ", ".join(one.area for one in registered if one.measure.measure_id == measure_id)
        for measure_id, count in sorted(counts.items())
        if count > 1
    ]
    if not faults and expected is not None:
        expected = tuple(expected)
        absent = [measure_id for measure_id in expected if measure_id not in counts]
        unknown = [measure_id for measure_id in sorted(counts) if measure_id not in expected]
        faults += [f"{folder}: no entry for {', '.join(absent)}"] if absent else []
        faults += [f"{folder}: {', '.join(unknown)} is not in the catalogue"] if unknown else []
    if faults:
        raise MeasuresError("\n".join(faults))
    return tuple(sorted(registered, key=lambda one: one.measure.measure_id))


def _entries(file: Path) -> list[object]:
    try:
        document = strict_yaml.read(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise MeasuresError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or list(document) != ["measures"] or not isinstance(document["measures"], list):
        raise MeasuresError(f"{file}: must hold one list, measures")
    return document["measures"]


def _explained(file: Path, entry: object, error: ValidationError) -> list[str]:
    name = entry.get("measure_id", "an entry without measure_id") if isinstance(entry, dict) else "an entry"
    return [f"{file}: {name}: {_place(entry, fault['loc'])}{_problem(fault)}" for fault in error.errors()]


def _place(entry: object, location: tuple[int | str, ...]) -> str:
    words: list[str] = []
    here: Any = entry
    for step in location:
        if isinstance(step, int) and isinstance(here, list) and words and words[-1] == "versions":
            version = here[step]
            start = version.get("valid_from") if isinstance(version, dict) else None
            words[-1] = f"version from {start}" if start else f"version {step + 1}"
        else:
            words.append(str(step + 1) if isinstance(step, int) else step)
        here = here[step] if _has(here, step) else None
    return ", ".join(words) + ": " if words else ""


def _has(here: object, step: int | str) -> bool:
    if isinstance(here, dict):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)


def _problem(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "not a field of the registry"
    if fault["type"] == "missing":
        return "missing"
    return str(fault["msg"]).removeprefix("Value error, ")
