"""Arrival suites as people write them: what is misspelt is refused when it is read, with what is allowed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.arrival.kinds import KINDS
from expectations.arrival.suite import EVERY_TABLE, SUITES, load
from expectations.suite import SuiteError
from ingestion.contract import load_contracts
from ingestion.profile import counted_by

TABLES = {"mosaic.persons": {"person_ref": None, "nhs_number": None, "gender_code": "code"}}
CHECK = """\
checks:
  - id: volume
    kind: volume
    thresholds: {at_most_percent_fewer: 20, at_most_percent_more: 100}
    severity: critical
    says: The table has about as many rows as before.
"""
NHS = """\
checks:
  - id: nhs_numbers
    kind: blanks
    thresholds: {at_most_points_more: 2, columns: [nhs_number]}
    severity: critical
    says: NHS numbers have not gone missing.
"""


@pytest.fixture
def suites(tmp_path: Path) -> Callable[..., Path]:
    """Write suites, by default the one for every table alone."""

    def write(common: str | None = CHECK, **of_tables: str) -> Path:
        if common is not None:
            (tmp_path / f"{EVERY_TABLE}.yaml").write_text(common)
        for name, text in of_tables.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return tmp_path

    return write


def test_the_shipped_suites_are_understood_and_use_every_kind() -> None:
    tables = {contract.name: counted_by(contract) for contract in load_contracts()}
    shipped = load(tables)
    used = {check.kind for checks in (shipped.of_every_table, *shipped.of_table.values()) for check in checks}
    assert used == set(KINDS)
    assert len(shipped.of_table) == len(list(SUITES.glob("*.yaml"))) - 1 > 0


def test_a_table_tunes_what_every_table_has_and_adds_its_own(suites: Callable[..., Path]) -> None:
    tuning = (
        "tune:\n  volume: {thresholds: {at_most_percent_more: 5}, severity: warning, "
        "because: People seldom double in number.}\n"
    )
    loaded = load(TABLES, suites(mosaic__persons__yaml=tuning + NHS))
    assert [check.id for check in loaded.checks("mosaic.teams")] == ["volume"]
    volume, nhs = loaded.checks("mosaic.persons")
    assert volume.severity == "warning"
    assert volume.thresholds.model_dump(include={"at_most_percent_fewer", "at_most_percent_more"}) == {
        "at_most_percent_fewer": 20,
        "at_most_percent_more": 5,
    }
    assert nhs.thresholds.named_columns() == ("nhs_number",)


@pytest.mark.parametrize(
    ("common", "fault"),
    [
        (None, "is missing, so a table without a file of its own would not be checked"),
        ("checks: []\n", "there is no check"),
        (CHECK.replace("severity", "severty"), "unknown key 'severty'; allowed: id, kind, thresholds"),
        (CHECK.replace("severity: critical", "severity: fatal"), "severity: Input should be 'critical', 'warning'"),
        (CHECK.replace("kind: volume", "kind: volumes"), "unknown kind 'volumes'; allowed: volume, blanks, months"),
        (CHECK.replace("percent_more", "percent_mor"), "unknown key 'at_most_percent_mor'; allowed: needs_deliveries"),
        (CHECK.replace("percent_more", "percent_mor"), "the key 'at_most_percent_more' is missing"),
        (CHECK.replace("more: 100", "more: '100'"), "at_most_percent_more: Input should be a valid number"),
        (CHECK.replace("more: 100", "more: -1"), "at_most_percent_more: Input should be greater than or equal to 0"),
        (CHECK.replace("fewer: 20", "fewer: 101"), "at_most_percent_fewer: Input should be less than or equal to 100"),
        (CHECK.replace("more: 100", "more: 100, of_last: 99"), "of_last: Input should be less than or equal to 14"),
        (CHECK.replace(" as before.", ""), "says: "),
        (CHECK + "    owner: nobody\n", "owner: "),
        (CHECK + "    kind: volume\n", "line 3: the key 'kind' is given twice"),
        (CHECK + CHECK.removeprefix("checks:\n"), "check volume: this id is used already"),
        (CHECK + "tune: {volume: {because: It has a reason.}}\n", "'tune' is allowed in the file of a table alone"),
        (CHECK + NHS.removeprefix("checks:\n"), "'columns' is allowed in the file of a table alone"),
        ("checks: [\n", "line 2"),
    ],
)
def test_a_suite_that_is_not_understood_is_refused(suites: Callable[..., Path], common: str | None, fault: str) -> None:
    with pytest.raises(SuiteError) as refused:
        load(TABLES, suites(common))
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("mosaic__person__yaml", NHS, "no contract is of a table of this name"),
        ("mosaic__persons__yml", NHS, "no contract is of a table of this name"),
        (
            "mosaic__persons__yaml",
            NHS.replace("[nhs_number]", "[nhs]"),
            "'nhs' is no such column; allowed: person_ref, nhs_number",
        ),
        (
            "mosaic__persons__yaml",
            NHS.replace("kind: blanks", "kind: vanished_codes").replace("at_most_points_more: 2, ", ""),
            "'nhs_number' is no such column; allowed: gender_code",
        ),
        ("mosaic__persons__yaml", NHS.replace("nhs_numbers", "volume"), "check volume: this id is used already"),
        (
            "mosaic__persons__yaml",
            "tune: {volum: {severity: warning, because: It has a reason.}}\n",
            "tune: unknown check 'volum'; allowed: volume",
        ),
        ("mosaic__persons__yaml", "tune: {volume: {severity: warning}}\n", "the key 'tune.volume.because' is missing"),
        ("mosaic__persons__yaml", "tune: {volume: {because: It has a reason.}}\n", "tune volume: says nothing"),
        (
            "mosaic__persons__yaml",
            "tune: {volume: {thresholds: {at_most: 1}, because: It has a reason.}}\n",
            "check volume: unknown key 'at_most'",
        ),
    ],
)
def test_the_file_of_a_table_that_is_not_understood_is_refused(
    suites: Callable[..., Path], name: str, text: str, fault: str
) -> None:
    with pytest.raises(SuiteError) as refused:
        load(TABLES, suites(**{name: text}))
    assert fault in str(refused.value)
