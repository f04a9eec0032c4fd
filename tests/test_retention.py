"""What has been kept for long enough goes, does not come back, and never makes a figure wrong without a word."""

import os
from datetime import date
from pathlib import Path

import pytest
import yaml

from carehouse.build import build
from carehouse.errors import CarehouseError
from carehouse.settings import PROJECT
from ingestion import legal_hold, record_classes, retention
from ingestion.contract import load_contracts
from ingestion.landing import ingest
from ingestion.record_classes import FILE, contracts_and_rules, load_rules
from ingestion.retention import Taken, apply
from tests.conftest import Warehouse
from tests.people import COUNCIL, extract

LOADED = date(2010, 4, 1)
LONG_AGO, LATELY = "01/05/2006", "01/03/2017"
AS_OF = date(2018, 10, 31)
FORGOTTEN, TWIN_OF_ACTIVE, ACTIVE, STILL_SERVED, DEAD, REVIEWED = "501", "502", "503", "504", "505", "506"
PERSONS = (FORGOTTEN, TWIN_OF_ACTIVE, ACTIVE, STILL_SERVED, DEAD, REVIEWED)


def texts(*more_contacts: dict[str, str]) -> dict[str, str]:
    """Six people: only one of them, and one who died, have had nothing happen for eight years."""
    return {
        "mosaic.persons": extract(
            "mosaic.persons",
            *({"person_ref": each, "death_date": "01/06/2007" if each == DEAD else ""} for each in PERSONS),
        ),
        "mosaic.person_merges": extract(
            "mosaic.person_merges",
            {"merged_person_ref": TWIN_OF_ACTIVE, "master_person_ref": ACTIVE, "merged_date": LONG_AGO},
        ),
        "mosaic.contacts": extract(
            "mosaic.contacts",
            *(
                {"contact_ref": str(number), "person_ref": each, "contact_date": LATELY if each == ACTIVE else LONG_AGO}
                for number, each in enumerate(PERSONS, 1)
            ),
            *more_contacts,
        ),
        "mosaic.service_elements": extract(
            "mosaic.service_elements",
            {"element_ref": "61", "person_ref": FORGOTTEN, "start_date": LONG_AGO, "end_date": LONG_AGO},
            {"element_ref": "64", "person_ref": STILL_SERVED, "start_date": LONG_AGO},
            {"element_ref": "65", "person_ref": DEAD, "start_date": LONG_AGO},
        ),
        "mosaic.subgroups": extract("mosaic.subgroups", {"subgroup_ref": "1"}),
        "mosaic.subgroup_subjects": extract("mosaic.subgroup_subjects", {"subgroup_ref": "1", "person_ref": REVIEWED}),
        "mosaic.workflow_steps": extract(
            "mosaic.workflow_steps",
            {"step_ref": "1", "subgroup_ref": "1", "incoming_date": LONG_AGO, "completed_date": LATELY},
        ),
        "finance.provider_payments": extract(
            "finance.provider_payments",
            *(
                {
                    "payment_ref": f"P{year}",
                    "element_ref": element,
                    "financial_year": year,
                    "actual_gbp": "10.00",
                    **dict.fromkeys(("period_start_date", "period_end_date", "paid_date"), f"01/05/{year[:4]}"),
                }
                for year, element in (("2006/07", "61"), ("2011/12", "64"), ("2012/13", "64"), ("2017/18", "64"))
            ),
        ),
        "programme.statuses": extract("programme.statuses"),
    }


def load(warehouse: Warehouse, day: str, known_on: date, *more_contacts: dict[str, str]) -> None:
    for name, text in texts(*more_contacts).items():
        if name != "programme.statuses":
            source, table = name.split(".")
            warehouse.land(f"{COUNCIL}/{source}/{table}_{day}.csv", text)
    outcome = ingest(warehouse.settings, business_date=known_on)
    assert (outcome.refused, outcome.accepted) == (0, len(texts()) - 1)


def people_kept(warehouse: Warehouse) -> set[str]:
    return {
        row[0] for row in warehouse.rows("select person_ref::text from history.mosaic__persons where known_to is null")
    }


def by_table(taken: list[Taken]) -> dict[str, int]:
    return {each.table: each.rows for each in taken}


def test_what_has_been_kept_for_long_enough_goes_and_does_not_come_back(warehouse: Warehouse) -> None:
    load(warehouse, "2010-04-01", LOADED)
    due = apply(warehouse.settings, AS_OF, dry_run=True)
    assert by_table(due) == {"all that is kept of people": 2, "finance.provider_payments": 2}
    assert people_kept(warehouse) == set(PERSONS)

    taken = by_table(apply(warehouse.settings, AS_OF))
    assert people_kept(warehouse) == {TWIN_OF_ACTIVE, ACTIVE, STILL_SERVED, REVIEWED}
    assert taken["mosaic.persons"] == 2
    assert taken["finance.provider_payments"] == 2
    kept = "select financial_year from history.finance__provider_payments order by 1"
    assert warehouse.rows(kept) == [("2012/13",), ("2017/18",)]
    assert apply(warehouse.settings, AS_OF) == []

    load(warehouse, "2018-11-01", date(2018, 11, 1))
    assert people_kept(warehouse) == {TWIN_OF_ACTIVE, ACTIVE, STILL_SERVED, REVIEWED}
    assert warehouse.rows(kept) == [("2012/13",), ("2017/18",)]
    counted = "select rows_in, rows_new, rows_unchanged, rows_erased from audit.batch where extract_date = '2018-11-01'"
    assert warehouse.rows(f"{counted} and table_name = 'provider_payments'") == [(4, 0, 2, 2)]
    assert warehouse.rows(f"{counted} and table_name = 'persons'") == [(6, 0, 4, 2)]


def test_who_comes_back_is_let_in(warehouse: Warehouse) -> None:
    load(warehouse, "2010-04-01", LOADED)
    apply(warehouse.settings, AS_OF)
    contact = {"contact_ref": "99", "person_ref": FORGOTTEN, "contact_date": "02/11/2018"}
    load(warehouse, "2018-11-02", date(2018, 11, 2), contact)
    came = f"select contact_ref from history.mosaic__contacts where person_ref = {FORGOTTEN} and contact_ref = 99"
    assert warehouse.rows(came) == [(99,)]
    load(warehouse, "2018-11-03", date(2018, 11, 3), contact)
    assert FORGOTTEN in people_kept(warehouse)
    assert DEAD not in people_kept(warehouse)


def test_a_build_that_looks_back_to_what_is_gone_is_refused(warehouse: Warehouse) -> None:
    load(warehouse, "2010-04-01", LOADED)
    apply(warehouse.settings, AS_OF)
    (first_day,) = warehouse.rows("select max(no_build_before_date)::text from audit.retention_run")
    with pytest.raises(CarehouseError, match=f"taken away under .* The first day that can be built is {first_day[0]}"):
        build(warehouse.settings, date(2014, 3, 31))
    assert date.fromisoformat(first_day[0]) < AS_OF
    assert warehouse.rows("select count(*) from audit.build") == [(0,)]


def test_what_is_held_stays(warehouse: Warehouse) -> None:
    load(warehouse, "2010-04-01", LOADED)
    hold = legal_hold.place(warehouse.settings, "person", COUNCIL, None, DEAD, "the lawyer", "Claim HC-2018-1")
    finance = legal_hold.place(warehouse.settings, "record_class", None, "finance", None, "audit", "Audit of 2017/18")
    # Whoever is not held goes only if none of their payments is held either.
    (people, money) = apply(warehouse.settings, AS_OF)
    assert "legal hold" in people.held_back
    assert (money.table, money.held_back) == ("finance.provider_payments", "a legal hold covers it")
    assert people_kept(warehouse) == set(PERSONS)
    legal_hold.lift(warehouse.settings, finance, "audit", "Audit of 2017/18 is over")
    apply(warehouse.settings, AS_OF)
    assert people_kept(warehouse) == set(PERSONS) - {FORGOTTEN}
    legal_hold.lift(warehouse.settings, hold, "the lawyer", "Claim HC-2018-1 is settled")
    apply(warehouse.settings, AS_OF)
    assert people_kept(warehouse) == set(PERSONS) - {FORGOTTEN, DEAD}


def test_copies_go_when_they_are_old_and_nobody_holds_them(warehouse: Warehouse) -> None:
    load(warehouse, "2010-04-01", LOADED)
    kept = sorted((warehouse.settings.home / "archive" / COUNCIL).rglob("*.csv"))
    old, young = kept[0], kept[1:]
    os.utime(old, (0, 0))
    hold = legal_hold.place(warehouse.settings, "source", COUNCIL, "mosaic", None, "the lawyer", "Claim HC-2018-1")
    apply(warehouse.settings, LOADED)
    assert old.exists()
    refused = warehouse.command("purge")
    assert refused.returncode == 1
    assert "legal hold stands" in refused.stderr
    legal_hold.lift(warehouse.settings, hold, "the lawyer", "Claim HC-2018-1 is settled")
    apply(warehouse.settings, LOADED)
    assert not old.exists()
    assert all(file.exists() for file in young)
    assert len(young) > 5


def test_nothing_that_a_figure_looks_back_to_is_taken() -> None:
    _, rules = contracts_and_rules()
    said = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())["vars"]
    bases = [date.fromisoformat(str(day)) for name, day in said.items() if name.endswith("_base_date")]
    bases += [date(int(year[:4]), 4, 1) for name, year in said.items() if name.endswith("_base_year")]
    assert len(bases) >= 5
    assert rules.figures_need_from <= min(bases)
    # The months shown, and the twelve that a measure of people with long-term support looks back over.
    assert rules.figures_look_back_years * 12 >= said["month_end_window"] + 12
    for record_class in rules.classes.values():
        cut_off = retention.cut_off_of(record_class, rules, date(2040, 2, 29))
        assert cut_off is None or cut_off <= rules.figures_need_from


def test_every_contract_is_of_a_class_and_every_class_has_one() -> None:
    rules = load_rules()
    contracts = load_contracts()
    assert {contract.record_class for contract in contracts} == set(rules.classes)


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("keep_years: 8", "keep_year: 8", "unknown keys.*keep_year"),
        ("keep_years: 8", "keep_years: 5", "longer than figures look back"),
        ("keep_years: 8", "keep_years: eight", "whole number"),
        ("after: last_activity", "after: death", "allowed are last_activity, financial_year"),
        ("on_erasure: delete", "on_erasure: keep", "allowed are delete, sever"),
        ("quarantine_days", "quarantine_day", "unknown keys"),
        ("figures_need_from: 2016-03-31", "figures_need_from: soon", "must be a day"),
        ("  statistics:", "  finance:", "given twice"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, old: str, new: str, refusal: str) -> None:
    text = FILE.read_text()
    assert old in text
    file = tmp_path / "retention.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(CarehouseError, match=refusal):
        load_rules(file)


def test_a_contract_of_no_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    nameless = replace(load_contracts()[0], record_class=None)
    with pytest.raises(CarehouseError, match="recordClass is None"):
        load_rules().of(nameless)
    monkeypatch.setattr(record_classes, "load_contracts", lambda: (nameless,))
    with pytest.raises(CarehouseError, match="recordClass is None"):
        record_classes.contracts_and_rules.__wrapped__()
