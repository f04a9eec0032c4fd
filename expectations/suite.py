"""Suites as people write them: one YAML file a mart, refused when read if a word in it is not understood."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from carehouse import strict_yaml
from carehouse.errors import CarehouseError
from expectations.arguments import Arguments, Mart, NoRowWhere, OfEachMart, UnexpectedRows
from expectations.catalogue import Catalogue
from expectations.each_mart import AmountAsLanded, RowsAsLanded, RowsOfEveryCouncil
from expectations.verdict import Severity
from expectations.vocabulary import EXPECTATIONS

SUITES = Path(__file__).parent / "suites"
PUBLICATION = "publication"
TABLE = "{table}"
TEXT = "{text}"
KEYS = "{keys}"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, Field(min_length=10, pattern=r"\.$")]
SourceTable = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Owner = Annotated[str, Field(pattern=r"\S+@\S+\.\S+")]


class SuiteError(CarehouseError):
    """A suite cannot be relied upon; the message lists every fault with its file and check."""

    exit_code = 4


class Check(BaseModel):
    """One rule, its place in the order of things, and whom to ask when it is broken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    expectation: str
    arguments: Arguments = Field(default_factory=Arguments, validate_default=True)
    scope: Literal["every_table", "every_fact", "every_kpi_table"] | None = None
    severity: Severity
    dimension: Literal["completeness", "conformance", "plausibility", "consistency", "timeliness"]
    says: Sentence
    owner: Owner | None = None
    measures: list[Annotated[str, Field(pattern=r"^K\d{3}$")]] = []
    allow_empty: bool | None = None

    @field_validator("expectation")
    @classmethod
    def _is_known(cls, expectation: str) -> str:
        if expectation not in EXPECTATIONS:
            raise ValueError(f"unknown expectation '{expectation}'; allowed: {', '.join(EXPECTATIONS)}")
        return expectation

    @field_validator("arguments", mode="before")
    @classmethod
    def _are_understood(cls, arguments: object, info: ValidationInfo) -> Arguments:
        form = EXPECTATIONS.get(info.data.get("expectation", ""))
        if form is None:
            return Arguments()
        try:
            return form.model_validate({} if arguments == Arguments() else arguments)
        except ValidationError as error:
            raise ValueError("; ".join(explained(form, error))) from None


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    owner: Owner
    allow_empty: bool = False
    delivered_by: list[SourceTable] = []
    month: Identifier | None = None
    amount: Identifier | None = None
    checks: list[dict[str, object]] = Field(min_length=1)


@dataclass(frozen=True)
class Suite:
    """The checks of one mart, or of the publication as a whole (`table` is None).

    `delivered_by` are the source tables that all must be delivered before the mart has rows: then it may be empty
    while no council delivers them, and a critical check sees to it that every council that does has rows. `month` is
    the date by which its rows are counted by month, `amount` what is added up of them, for checks that compare counts.
    """

    name: str
    file: Path
    owner: str
    allow_empty: bool
    checks: tuple[Check, ...]
    delivered_by: tuple[str, ...] = ()
    month: str | None = None
    amount: str | None = None

    @property
    def mart(self) -> Mart:
        """Give what rules of every mart are told of this one."""
        conditions = [check.arguments for check in self.checks if isinstance(check.arguments, NoRowWhere)]
        judged_by = dict.fromkeys(column for condition in conditions for column in condition.by)
        return Mart(self.name, self.delivered_by, self.month, self.amount, tuple(judged_by))

    @property
    def table(self) -> str | None:
        """Give the mart, which the file is named after."""
        return None if self.name == PUBLICATION else self.name


def load(folder: Path = SUITES) -> tuple[Suite, ...]:
    """Read every suite of `folder`.

    Raises:
        SuiteError: there is no suite, one has no check, an id is used twice, or a key, expectation, argument,
            severity, dimension or owner is missing or not understood.
    """
    suites: list[Suite] = []
    faults: list[str] = []
    for file in sorted(folder.glob("*.y*ml")):
        try:
            suites.append(_read(file))
        except SuiteError as error:
            faults.append(str(error))
    if not suites and not faults:
        faults.append(f"{folder}: there is no suite, so nothing would be checked; allowed: .yaml files")
    faults += _twice(suites)
    if faults:
        raise SuiteError("\n".join(faults))
    return tuple(suites)


def compare(suites: Iterable[Suite], catalogue: Catalogue) -> None:
    """Refuse suites that name a column, measure or source table which does not exist.

    A table that does not exist is not refused here: its checks come out as errors, and stay on record.

    Raises:
        SuiteError: with every unknown name and the names that are allowed.
    """
    faults: list[str] = []
    for suite in suites:
        faults += _unknown_sources(suite, catalogue)
        faults += _unknown_columns(suite, catalogue)
        for check in suite.checks:
            faults += _unknown_names(suite, check, catalogue)
    if faults:
        raise SuiteError("\n".join(faults))


def _read(file: Path) -> Suite:
    try:
        content = strict_yaml.read(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = getattr(error, "problem", None) or type(error).__name__
        mark = getattr(error, "problem_mark", None)
        raise SuiteError(f"{file}{f', line {mark.line + 1}' if mark else ''}: {problem}") from None
    try:
        form = _Form.model_validate(content)
    except ValidationError as error:
        raise SuiteError("\n".join(f"{file}: {fault}" for fault in explained(_Form, error))) from None
    checks: list[Check] = []
    faults: list[str] = []
    for position, written in enumerate(form.checks, start=1):
        where = f"{file}, check {written.get('id', f'number {position}')}"
        try:
            check = Check.model_validate(written)
        except ValidationError as error:
            faults += [f"{where}: {fault}" for fault in explained(Check, error)]
            continue
        faults += [f"{where}: {fault}" for fault in _misplaced(file, check)]
        checks.append(check)
    faults += [f"{file}: {fault}" for fault in _undelivered(file, form, checks)]
    if faults:
        raise SuiteError("\n".join(faults))
    return Suite(
        name=file.stem,
        file=file,
        owner=form.owner,
        allow_empty=form.allow_empty or bool(form.delivered_by),
        checks=tuple(checks),
        delivered_by=tuple(form.delivered_by),
        month=form.month,
        amount=form.amount,
    )


def _undelivered(file: Path, form: _Form, checks: Iterable[Check]) -> Iterable[str]:
    """What is empty while nothing is delivered must not be empty once something is."""
    watching = [check for check in checks if isinstance(check.arguments, RowsOfEveryCouncil)]
    if form.delivered_by and file.stem == PUBLICATION:
        yield f"'delivered_by' is of one mart, and {PUBLICATION}.yaml belongs to none"
    if form.delivered_by and not watching:
        yield "'delivered_by' needs a check 'rows_of_every_council_that_delivers'"
    elif (
        form.delivered_by
        and not form.allow_empty
        and all(check.severity is not Severity.CRITICAL for check in watching)
    ):
        yield (
            f"check {watching[0].id} must be critical, or nothing would stop a mart that is empty although somebody "
            "delivers; say 'allow_empty: true' where that may be"
        )
    if watching and not form.delivered_by:
        yield f"check {watching[0].id} needs 'delivered_by' of the suite: the source tables whose delivery it means"


def _misplaced(file: Path, check: Check) -> Iterable[str]:
    rule = check.arguments
    query = rule.query if isinstance(rule, UnexpectedRows) else ""
    condition = f"{rule.condition} {rule.of}" if isinstance(rule, NoRowWhere) else ""
    if check.scope is None and any(placeholder in query + condition for placeholder in (TABLE, TEXT, KEYS)):
        yield f"{TABLE}, {TEXT} and {KEYS} stand for something only in a check with a 'scope'"
    if TEXT in query or TABLE in condition or KEYS in condition:
        yield f"{TABLE} and {KEYS} stand for something in a query alone, {TEXT} in a condition of 'no_row_where' alone"
    if check.scope and TABLE not in query and not isinstance(rule, NoRowWhere | OfEachMart):
        yield f"a check 'scope: {check.scope}' needs a query from {TABLE}, or each table gets the same answer"
    if check.scope and isinstance(rule, NoRowWhere) and rule.by:
        yield "'by' is for the suites of marts: with a 'scope' rows with the same texts are judged once anyway"
    if check.scope and isinstance(rule, RowsOfEveryCouncil | RowsAsLanded | AmountAsLanded):
        yield "it is about the sources of one mart: it belongs into the suites of marts"
    if file.stem != PUBLICATION:
        if check.scope:
            yield f"'scope' is allowed in {PUBLICATION}.yaml alone: checks here are on this file's own mart"
    elif not isinstance(rule, UnexpectedRows) and not (check.scope and isinstance(rule, NoRowWhere | OfEachMart)):
        yield (
            f"{PUBLICATION}.yaml is of no single mart; allowed: unexpected_rows, and with a 'scope' no_row_where and "
            "rules of ours"
        )
    elif isinstance(rule, UnexpectedRows) and check.scope is None and rule.rows_checked is None:
        yield "rows_checked is missing: without it a query that finds nothing to look at would pass"


def _twice(suites: Iterable[Suite]) -> Iterable[str]:
    first: dict[str, Path] = {}
    for suite in suites:
        for check in suite.checks:
            if check.id in first:
                yield f"{suite.file}, check {check.id}: this id is used already in {first[check.id].name}"
            first.setdefault(check.id, suite.file)


def _unknown_names(suite: Suite, check: Check, catalogue: Catalogue) -> Iterable[str]:
    where = f"{suite.file}, check {check.id}"
    columns = catalogue.columns.get(suite.table or "")
    for column in check.arguments.columns() if columns else ():
        if columns is not None and column not in columns:
            yield f"{where}: unknown column '{column}'; allowed: {', '.join(columns)}"
    left_out = check.arguments.but_not if isinstance(check.arguments, OfEachMart) else []
    for table in left_out if catalogue.columns else ():
        if table not in catalogue.columns:
            yield f"{where}: unknown table '{table}' in but_not; allowed: {', '.join(catalogue.columns)}"
    for measure in check.measures if catalogue.measures is not None else ():
        if catalogue.measures is not None and measure not in catalogue.measures:
            yield f"{where}: unknown measure '{measure}'; allowed: {', '.join(sorted(catalogue.measures))}"


def _unknown_sources(suite: Suite, catalogue: Catalogue) -> Iterable[str]:
    named = [*suite.delivered_by]
    for check in suite.checks:
        named += check.arguments.sources()
    for table in named if catalogue.sources is not None else ():
        if catalogue.sources is not None and table not in catalogue.sources:
            yield f"{suite.file}: unknown source table '{table}'; allowed: {', '.join(sorted(catalogue.sources))}"


def _unknown_columns(suite: Suite, catalogue: Catalogue) -> Iterable[str]:
    columns = catalogue.columns.get(suite.table or "")
    for key, column in (("month", suite.month), ("amount", suite.amount)):
        if columns and column and column not in columns:
            yield f"{suite.file}: unknown column '{column}' as {key}; allowed: {', '.join(columns)}"


def explained(form: type[BaseModel], error: ValidationError) -> list[str]:
    """Say what is wrong with what was written, and what is allowed."""
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        match fault["type"]:
            case "extra_forbidden":
                faults.append(f"unknown key '{key}'; allowed: {', '.join(form.model_fields)}")
            case "missing":
                faults.append(f"the key '{key}' is missing")
            case "value_error":
                faults.append(re.sub(r"^Value error, ", "", fault["msg"]))
            case _:
                faults.append(f"{key or 'the file'}: {fault['msg']}")
    return faults
