"""A faulty council through the front door: exactly the planted faults are found, no more and no fewer."""

import csv
from datetime import date
from pathlib import Path

import pytest

from carehouse.errors import CarehouseError
from ingestion.landing import ingest
from ingestion.synth import write_extracts
from ingestion.synth.faults import KINDS, NO_FAULTS, Plan, read_plan
from tests.conftest import Warehouse

COUNCIL = "exampleshire"
START, EVE, END = date(2018, 4, 1), date(2018, 10, 30), date(2018, 10, 31)
Rows = list[dict[str, str]]


def invent(warehouse: Warehouse, plan: Plan, nights: list[date], people: int = 800) -> Rows:
    """Write a faulty council into the landing folder and give the faults that were planted."""
    truth = warehouse.settings.home / "truth"
    write_extracts(
        warehouse.settings.landing, COUNCIL, people, START, END, seed=3, nights=nights, plan=plan, truth=truth
    )
    with (truth / COUNCIL / "faults.csv").open(encoding="utf-8", newline="") as file:
        planted = list(csv.DictReader(file))
    assert planted
    return planted


def places(planted: Rows, expected: str) -> list[tuple[str, int, str, str]]:
    return sorted(
        (Path(fault["file"]).name, int(fault["line"]), fault["column"], fault["reason_code"])
        for fault in planted
        if fault["expected"] == expected
    )


@pytest.mark.any_server
def test_exactly_the_planted_rows_are_rejected_and_the_planted_values_normalised(warehouse: Warehouse) -> None:
    plan = read_plan("everyday")
    planted = invent(warehouse, plan, [EVE, END])
    assert {fault["kind"] for fault in planted} == {fault.kind for fault in plan.faults}
    outcome = ingest(warehouse.settings, business_date=END)
    assert (outcome.refused, outcome.waiting) == (0, 0)
    rejected = warehouse.rows(
        "select file_name, line_number, coalesce(column_name, ''), rejected_row.reason_code "
        "from quarantine.rejected_row inner join audit.batch using (batch_id)"
    )
    assert sorted(rejected) == places(planted, "reject_row")
    normalised = warehouse.rows(
        "select file_name, line_number, column_name, '' "
        "from quarantine.normalised_value inner join audit.batch using (batch_id)"
    )
    assert sorted(normalised) == places(planted, "normalise_value")
    # What is to be loaded as sent, or without its spaces, is in neither list, and no file lost a row otherwise.
    assert warehouse.rows("select sum(rows_rejected) from audit.batch") == [(len({place[:2] for place in rejected}),)]


@pytest.mark.any_server
def test_exactly_the_planted_files_are_refused_or_come_late(warehouse: Warehouse) -> None:
    planted = invent(warehouse, read_plan("broken_files"), [EVE, END])
    ingest(warehouse.settings, business_date=END)
    refused = warehouse.rows("select file_name, reason_code from audit.batch where state = 'refused'")
    assert sorted(refused) == sorted(
        (Path(fault["file"]).name, fault["reason_code"]) for fault in planted if fault["expected"] == "refuse_file"
    )
    assert len(refused) == 5
    (late,) = (fault["file"] for fault in planted if fault["expected"] == "withhold_file")
    withheld = warehouse.settings.landing.parent / "late" / late
    assert withheld.is_file()
    batches = "select known_on from audit.batch where file_name = 'contacts_2018-10-30.csv' and state = 'accepted'"
    assert warehouse.rows(batches) == []
    warehouse.land(late, withheld.read_bytes())
    assert ingest(warehouse.settings, business_date=END).accepted == 1
    assert warehouse.rows(batches) == [(END,)]


def test_a_plan_without_faults_plants_none(tmp_path: Path) -> None:
    write_extracts(tmp_path / "landing", COUNCIL, 20, START, END, 3, plan=NO_FAULTS, truth=tmp_path / "truth")
    faults = (tmp_path / "truth" / COUNCIL / "faults.csv").read_text(encoding="utf-8")
    assert faults == "file,line,column,kind,expected,reason_code\n"


def test_the_shipped_sets_hold_most_kinds() -> None:
    shipped = {fault.kind for named in ("everyday", "broken_files") for fault in read_plan(named).faults}
    assert shipped <= set(KINDS)
    assert len(shipped) > 18


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("{table: mosaic.persons, kind: earthquake}", "there is no fault 'earthquake'"),
        ("{table: mosaic.cats, kind: empty_file}", "there is no table 'mosaic.cats'"),
        ("{table: mosaic.persons, kind: empty_file, per_thousand: 3}", "takes no per_thousand"),
        ("{table: mosaic.persons, kind: repeated_row}", "needs per_thousand"),
        ("{table: mosaic.persons, kind: impossible_date, per_thousand: 1}", "needs a column"),
        ("{table: mosaic.persons, kind: impossible_date, per_thousand: 1, column: surname}", "cannot befall"),
        ("{table: mosaic.persons, kind: blank, per_thousand: 1, column: tail}", "has no column 'tail'"),
        ("{table: mosaic.persons, kind: conflicting_key, per_thousand: 1, column: person_ref}", "outside the key"),
        ("{table: mosaic.persons, kind: wrong_total}", "no control total"),
        ("{table: mosaic.persons, kind: empty_file, when: now}", "unknown keys ['when']"),
        ("{table: mosaic.persons, kind: repeated_row, per_thousand: 2000}", "between 0 and 1000"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(tmp_path: Path, said: str, says: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"faults:\n  - {said}\n", encoding="utf-8")
    with pytest.raises(CarehouseError) as refused:
        read_plan(str(path))
    assert says in str(refused.value)
    assert "mine.yaml" in str(refused.value)


def test_a_set_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(CarehouseError, match="sets are: broken_files, everyday"):
        read_plan("nonesuch")
