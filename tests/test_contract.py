"""A contract that says something unknown or contradictory is refused, with its file and the place."""

from pathlib import Path

import pytest

from carehouse.settings import PROJECT
from ingestion.contract import FOLDER, ContractError, load_contract, load_contracts
from ingestion.render import stale_files

LINES = (FOLDER / "ledger" / "lines.yaml").read_text()

FAULTS = {
    "a key at the top": ("domain: finance", "domian: finance", "domian"),
    "a key of a column": ("        required: true", "        requird: true", "requird"),
    "a key of a server": ("    encoding: utf-8", "    encodign: utf-8", "encodign"),
    "a setting of the table": ("property: rejectLimitPercent", "property: rejectLimit", "rejectLimit"),
    "a source too old before it is late": (
        "property: rejectLimitPercent\n    value: 0",
        "property: blocksAfterDays\n    value: 1",
        "no less than the latency",
    ),
    "a setting of a column": ("property: extractUnit", "property: unit", "unit"),
    "a unit": ("value: GBP\n", "value: EUR\n", "EUR"),
    "a sign convention": ("property: extractUnit", "property: signConvention", "signConvention"),
    "a control total turned round": (
        "property: extractUnit\n            value: GBP\n",
        "property: signConvention\n            value: reversed\n",
        "must be as_written",
    ),
    "a type": ("logicalType: integer", "logicalType: whole", "whole"),
    "types that differ": ("physicalType: integer\n", "physicalType: text\n", "does not hold"),
    "a class": ("classification: internal", "classification: secret", "secret"),
    "a date format": ("format: dd/MM/yyyy", "format: dd-MM-yy", "dd-MM-yy"),
    "a pattern": ("pattern: '^\\d{4}/\\d{2}$'", "pattern: '^(\\d{4}'", "unterminated subpattern"),
    "another table's id": ("id: ledger.lines", "id: ledger.budgets", "id must be ledger.lines"),
    "two columns of one header": ("physicalName: JOURNAL_LINE", "physicalName: JOURNAL_ID", "share a header"),
    "a control total of nothing": ("column: amount_gbp", "column: amount", "not a number column"),
    "broken YAML": ("schema:\n", "schema: [\n", "lines.yaml"),
}


def written(folder: Path, text: str) -> Path:
    """Write a contract where its id says it belongs."""
    file = folder / "ledger" / "lines.yaml"
    file.parent.mkdir()
    file.write_text(text)
    return file


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_its_file_and_place(fault: str, tmp_path: Path) -> None:
    right, wrong, says = FAULTS[fault]
    assert right in LINES
    with pytest.raises(ContractError) as refused:
        load_contract(written(tmp_path, LINES.replace(right, wrong, 1)))
    assert "ledger/lines.yaml" in str(refused.value)
    assert says in str(refused.value)


def test_a_contract_without_a_key_is_refused(tmp_path: Path) -> None:
    without = LINES.replace("        primaryKey: true\n", "").replace("        primaryKeyPosition: 1\n", "")
    with pytest.raises(ContractError, match="no column is a primaryKey"):
        load_contract(written(tmp_path, without))


def test_no_contracts_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="There is no contract"):
        load_contracts(tmp_path)


def test_generated_files_are_what_the_contracts_imply(tmp_path: Path) -> None:
    assert stale_files(PROJECT) == []
    assert len(stale_files(tmp_path)) == 6
