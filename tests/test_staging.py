"""Every contract has its staging model, which takes no more of a person than the figures need."""

import re
from pathlib import Path

import pytest
import yaml

from ingestion.contract import Contract, load_contracts

STAGING = Path(__file__).parent.parent / "dbt_project" / "models" / "staging"
CONTRACTS = load_contracts()
# What identifies nobody by itself once it is behind the marts: numbers to join by, and dates to reckon ages with.
NEEDED = re.compile(r"(^|_)person_ref$|^birth_date$|^death_date$")


def selected(contract: Contract) -> list[str]:
    sql = (STAGING / contract.source / f"stg_{contract.source}__{contract.table}.sql").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^select\n(.*?)^from", sql, re.DOTALL | re.MULTILINE)
    return [line.strip().rstrip(",").rpartition(" as ")[2] for line in listed.splitlines()]


@pytest.mark.parametrize("contract", CONTRACTS, ids=[contract.name for contract in CONTRACTS])
def test_a_contract_has_a_described_staging_model(contract: Contract) -> None:
    models = yaml.safe_load((STAGING / contract.source / f"_{contract.source}__models.yml").read_text(encoding="utf-8"))
    (described,) = (model for model in models["models"] if model["name"] == f"stg_{contract.source}__{contract.table}")
    columns = [column["name"] for column in described["columns"]]
    assert sorted(columns) == sorted(selected(contract))
    assert all(column.get("description") for column in described["columns"])
    known = {column.name for column in contract.stored} | {"council_code"}
    known |= {column.pseudonym_column for column in contract.columns if column.pseudonym_column}
    known |= {"home_area_code"} if any(column.name == "postcode" for column in contract.columns) else set()
    assert set(columns) <= known


def test_no_staging_model_of_the_care_system_takes_a_name_number_or_address() -> None:
    taken = left = 0
    for contract in (each for each in CONTRACTS if each.source == "mosaic"):
        personal = {column.name for column in contract.columns if column.classification == "personal"}
        columns = set(selected(contract))
        assert not {name for name in personal & columns if not NEEDED.search(name)}, contract.name
        taken += len(personal & columns)
        left += len(personal - columns)
    assert taken > 20
    assert left > 6
