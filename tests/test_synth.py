"""The invented extracts: repeatable, exact to the penny, and holding the cases that go wrong elsewhere."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from carehouse.errors import CarehouseError
from ingestion.conform import Conformer
from ingestion.contract import load_contracts, recognise
from ingestion.reader import open_extract
from ingestion.synth import extract, write_extracts
from ingestion.synth.merges import FIRST_DUPLICATE_REF
from ingestion.synth.tables import TABLES

START, END = date(2016, 4, 1), date(2018, 10, 31)
EARLIER = date(2018, 9, 14)
DEMO_PEOPLE = 2_000
# Every table that an invented council of some size has rows of.
DELIVERED = sorted(name.replace(".", "/") for name in TABLES)
Rows = list[dict[str, str]]


def write(landing: Path, people: int = DEMO_PEOPLE, end: date = END, seed: int = 1) -> Path:
    """Write extracts of the invented council, checking that exactly the promised files are there."""
    written = write_extracts(landing, "exampleshire", people, START, end, seed)
    found = [path for path in landing.rglob("*") if path.is_file()]
    assert sorted(found) == sorted(written)
    return landing / "exampleshire"


def read(folder: Path, table: str, end: date = END) -> Rows:
    """Read an extract without any of our code, leaving a trailer out."""
    with (folder / f"{table}_{end}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if "TRAILER" not in row.values()]


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007


def by_key(rows: Rows, *key: str) -> dict[tuple[str, ...], dict[str, str]]:
    keyed = {tuple(row[column] for column in key): row for row in rows}
    assert len(keyed) == len(rows), "a key occurs twice"
    return keyed


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("landing"))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("landing"), end=EARLIER)


def test_every_table_of_the_care_system_is_invented_and_written_where_its_contract_says(demo: Path) -> None:
    found = sorted(path.relative_to(demo).as_posix() for path in demo.rglob("*.csv"))
    assert found == [f"{table}_2018-10-31.csv" for table in DELIVERED]
    mosaic = {contract.name for contract in load_contracts() if contract.source == "mosaic"}
    assert len(mosaic) == 25
    assert mosaic == {name for name in TABLES if name.startswith("mosaic.")}


def test_contracts_accept_every_row_of_every_file(demo: Path) -> None:
    contracts = load_contracts()
    for path in sorted(demo.rglob("*.csv")):
        ((contract, recognised),) = recognise(contracts, path.relative_to(demo.parent))
        keys: Counter[tuple[Any, ...]] = Counter()
        conformer = Conformer(contract, lambda references: references.cast(pl.String))
        for block in open_extract(path, contract, recognised.server).blocks():
            conformed = conformer.conform(block)
            assert conformed.rejects.is_empty(), contract.name
            assert conformed.normalised.is_empty(), contract.name
            keys.update(conformed.rows.select(column.name for column in contract.key).iter_rows())
        assert keys, contract.name
        assert max(keys.values()) == 1, f"{contract.name}: a key occurs twice"


def test_same_seed_same_bytes_other_seed_other_bytes(demo: Path, tmp_path: Path) -> None:
    again, other = write(tmp_path / "again"), write(tmp_path / "other", people=50, seed=2)
    for table in DELIVERED:
        name = f"{table}_{END}.csv"
        assert (again / name).read_bytes() == (demo / name).read_bytes()
    assert (other / f"mosaic/persons_{END}.csv").read_bytes() != (demo / f"mosaic/persons_{END}.csv").read_bytes()


def test_nhs_numbers_are_valid_unique_test_numbers(demo: Path) -> None:
    people = [row for row in read(demo, "mosaic/persons") if int(row["PERSON_ID"]) < FIRST_DUPLICATE_REF]
    numbers = [row["NHS_ID"] for row in people if row["NHS_ID"]]
    assert len(numbers) > 0.9 * DEMO_PEOPLE
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert len(number) == 10
        assert number.startswith("999")
        check = 11 - sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)) % 11
        assert check != 10
        assert int(number[9]) == check % 11


def test_people_are_adults_and_nobody_is_older_than_100(demo: Path) -> None:
    people = read(demo, "mosaic/persons")
    assert DEMO_PEOPLE < len(people) < 1.05 * DEMO_PEOPLE, "a few people have a second record"
    for person in people:
        born, last = day(person["DATE_OF_BIRTH"]), day(person["DATE_OF_DEATH"] or END.strftime("%d/%m/%Y"))
        assert born.replace(year=born.year + 18, day=min(born.day, 28)) <= START
        assert last.year - born.year - ((last.month, last.day) < (born.month, born.day)) <= 100
    assert 0 < sum(bool(person["DATE_OF_DEATH"]) for person in people) < DEMO_PEOPLE // 4


@pytest.fixture(scope="module")
def one_person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("landing"), people=1)


@pytest.mark.parametrize("council", ["one_person", "demo"])
def test_trailer_is_the_row_count_and_the_exact_sum(request: pytest.FixtureRequest, council: str) -> None:
    lines = (request.getfixturevalue(council) / f"ledger/lines_{END}.csv").read_text(encoding="utf-8").splitlines()
    marker, count, total = lines[-1].split(",")
    rows = list(csv.DictReader(lines[:-1]))
    assert rows
    assert marker == "TRAILER"
    assert int(count) == len(rows)
    assert Decimal(total) == sum(Decimal(row["AMOUNT"]) for row in rows)
    assert all(Decimal(row["AMOUNT"]).as_tuple().exponent == -2 for row in rows)


def test_one_person_is_enough(one_person: Path) -> None:
    (person,) = read(one_person, "mosaic/persons")
    for path in one_person.glob(f"mosaic/*_{END}.csv"):
        about = {row.get("PERSON_ID", "") for row in read(one_person, path.relative_to(one_person).as_posix()[:-15])}
        assert about <= {person["PERSON_ID"], ""}, path.name


def test_nothing_in_a_file_is_later_than_its_date(earlier: Path) -> None:
    dated: Counter[str] = Counter()
    tables = {contract.name: contract for contract in load_contracts() if contract.source in {"mosaic", "ledger"}}
    for name, contract in tables.items():
        dates = [column.header for column in contract.columns if column.kind == "date"]
        for row in read(earlier, name.replace(".", "/"), EARLIER):
            for column in dates:
                dated[f"{name} {column}"] += bool(row[column])
                assert not row[column] or day(row[column]) <= EARLIER, (name, column)
    never = {name for name, count in dated.items() if not count}
    assert never == {"mosaic.teams END_DATE", "mosaic.providers END_DATE", "ledger.cost_centres CLOSED_FROM"}
    assert len(dated) > 45


def test_a_later_extract_of_the_same_lives_only_adds_to_them(demo: Path, earlier: Path) -> None:
    lines = [tuple(row.values()) for row in read(earlier, "ledger/lines", EARLIER)]
    assert lines
    assert set(lines) <= {tuple(row.values()) for row in read(demo, "ledger/lines")}

    key = ("ELEMENT_DETAIL_ID", "SPLIT_NUMBER")
    before = by_key(read(earlier, "mosaic/service_elements", EARLIER), *key)
    after = by_key(read(demo, "mosaic/service_elements"), *key)
    assert before.keys() < after.keys()
    differ = {
        column
        for element, row in before.items()
        for column, value in row.items()
        if row["END_DATE"] and after[element][column] != value
    }
    assert differ <= {"PERSON_ID", "UNIT_COST", "WEEKLY_COST"}, "only a merge or a correction changes what has ended"

    key = ("WORKFLOW_STEP_ID",)
    before = by_key(read(earlier, "mosaic/workflow_steps", EARLIER), *key)
    after = by_key(read(demo, "mosaic/workflow_steps"), *key)
    assert before.keys() < after.keys()
    moved_on = {row["STEP_STATUS"] for step, row in before.items() if after[step] != row}
    assert {"PROPOSED", "INCOMING", "STARTED", "COMPLETED"} <= moved_on
    assert "CANCELLED" not in moved_on


def test_a_failure_while_writing_leaves_the_earlier_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, people=1)
    before = {path: path.read_bytes() for path in folder.rglob("*.csv")}

    write_whole = extract._write

    def fail(*given: Any) -> int:
        write_whole(*given)
        raise OSError("disk full")

    monkeypatch.setattr(extract, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        write_extracts(tmp_path, "exampleshire", 2, START, END, 1)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("people", "start", "seed", "says"),
    [
        (0, START, 1, "People"),
        (900_001, START, 1, "People"),
        (1, date(2019, 1, 1), 1, "period"),
        (1, START, -1, "seed"),
    ],
)
def test_senseless_requests_are_refused_before_anything_is_written(
    tmp_path: Path, people: int, start: date, seed: int, says: str
) -> None:
    with pytest.raises(CarehouseError, match=says):
        write_extracts(tmp_path, "exampleshire", people, start, END, seed)
    assert list(tmp_path.iterdir()) == []


# The hard cases, which the warehouse's rules exist for, must be in the data.


def stays(rows: Rows) -> Iterator[list[tuple[date, date]]]:
    """Give each person's long-term rows as (start, end), in order of start."""
    by_person = defaultdict(list)
    for row in rows:
        if row["SERVICE_TYPE"] != "reablement":
            end = day(row["END_DATE"]) if row["END_DATE"] else date.max
            by_person[row["PERSON_ID"]].append((day(row["START_DATE"]), end))
    yield from (sorted(person) for person in by_person.values())


def test_some_services_lie_inside_others_so_that_the_row_before_is_not_enough(demo: Path) -> None:
    inside = touching = overlapping = fooled = 0
    for person in stays(read(demo, "mosaic/service_elements")):
        furthest = date.min
        for (_, end_before), (start, end) in pairwise(person):
            furthest = max(furthest, end_before)
            inside += end < end_before
            touching += start.toordinal() == end_before.toordinal() + 1
            overlapping += start <= end_before < end
            fooled += start > end_before and start <= furthest
    assert min(inside, touching, overlapping, fooled) > 0


def test_reablement_rows_of_an_episode_touch_nearly_touch_or_overlap(demo: Path) -> None:
    by_person = defaultdict(list)
    for row in read(demo, "mosaic/service_elements"):
        if row["SERVICE_TYPE"] == "reablement":
            assert row["WEEKLY_COST"] == ""
            by_person[row["PERSON_ID"]].append((day(row["START_DATE"]), row["END_DATE"]))
    gaps: Counter[int] = Counter()
    for rows in by_person.values():
        for (_, ended), (start, _) in pairwise(sorted(rows)):
            if ended:
                gaps[start.toordinal() - day(ended).toordinal() - 1] += 1
    assert all(gaps[days] for days in (-1, 0, 1, 2, 3))


def test_a_couple_shares_a_step_and_some_steps_use_retired_types(demo: Path) -> None:
    steps = read(demo, "mosaic/workflow_steps")
    members = Counter(row["SUBGROUP_ID"] for row in read(demo, "mosaic/subgroup_subjects"))
    assert members.keys() == {row["SUBGROUP_ID"] for row in read(demo, "mosaic/subgroups")}
    assert {members[row["SUBGROUP_ID"]] for row in steps} == {1, 2}
    types = by_key(read(demo, "mosaic/workflow_step_types"), "WORKFLOW_STEP_TYPE_ID")
    used = {types[(row["WORKFLOW_STEP_TYPE_ID"],)]["DESCRIPTION"] for row in steps}
    assert any(name.startswith("ZZ") for name in used)
    assert {row["STEP_STATUS"] for row in steps} == {
        "PROPOSED", "INCOMING", "STARTED", "REOPENED", "COMPLETED", "CANCELLED",
    }  # fmt: skip


def test_forms_are_typed_in_late_and_some_without_a_business_date(demo: Path) -> None:
    completed = [row for row in read(demo, "mosaic/workflow_steps") if row["STEP_STATUS"] == "COMPLETED"]
    held = held_on(demo)
    dated = [row for row in completed if row["WORKFLOW_STEP_ID"] in held]
    lags = [(day(row["COMPLETED_ON"]) - held[row["WORKFLOW_STEP_ID"]]).days for row in dated]
    assert 0 < len(completed) - len(lags) < 0.15 * len(completed)
    assert min(lags) == 0
    assert sum(lag > 14 for lag in lags) > 0.1 * len(lags)


def held_on(folder: Path) -> dict[str, date]:
    """Give the day each step was held, as a form says."""
    answers = [row for row in read(folder, "mosaic/form_answers") if row["DATE_ANSWER"]]
    return {row["WORKFLOW_STEP_ID"]: day(row["DATE_ANSWER"]) for row in answers}


def test_accruals_of_period_12_come_back_as_credits_in_period_1(demo: Path) -> None:
    lines = read(demo, "ledger/lines")
    assert {int(row["PERIOD"]) for row in lines} == set(range(1, 14)), "13 holds the closing entries"
    accrued = {
        (row["COST_CENTRE"], row["SUBJECTIVE"], -Decimal(row["AMOUNT"]))
        for row in lines
        if (row["FINANCIAL_YEAR"], row["PERIOD"]) == ("2017/18", "12") and row["JOURNAL_ID"].startswith("AC")
    }
    reversed_ = {
        (row["COST_CENTRE"], row["SUBJECTIVE"], Decimal(row["AMOUNT"]))
        for row in lines
        if (row["FINANCIAL_YEAR"], row["PERIOD"]) == ("2018/19", "1") and row["JOURNAL_ID"].startswith("RV")
    }
    assert accrued
    assert accrued == reversed_
    assert all(amount < 0 for _, _, amount in reversed_)
    corrections = [Decimal(row["AMOUNT"]) for row in lines if row["JOURNAL_ID"].startswith("CR")]
    assert any(amount < 0 for amount in corrections)
    assert any(amount > 0 for amount in corrections)


def test_the_demonstration_is_plausible(demo: Path) -> None:
    """Around three quarters reviewed in 12 months (K001), and more reablement completions (K007)."""
    elements = read(demo, "mosaic/service_elements")
    receiving = {
        row["PERSON_ID"]
        for row in elements
        if row["SERVICE_TYPE"] != "reablement" and (not row["END_DATE"] or day(row["END_DATE"]) >= END)
    }
    reviews = {"2410", "2411", "2420", "2430", "241"}
    held = held_on(demo)
    members = defaultdict(set)
    for row in read(demo, "mosaic/subgroup_subjects"):
        members[row["SUBGROUP_ID"]].add(row["SUBJECT_COMPOUND_ID"])
    reviewed = {
        person
        for row in read(demo, "mosaic/workflow_steps")
        if row["WORKFLOW_STEP_TYPE_ID"] in reviews
        and row["STEP_STATUS"] == "COMPLETED"
        and held.get(row["WORKFLOW_STEP_ID"], day(row["COMPLETED_ON"])) > date(2017, 10, 31)
        for person in members[row["SUBGROUP_ID"]]
    }
    assert 0.68 < len(receiving & reviewed) / len(receiving) < 0.82

    completions = Counter(
        day(row["END_DATE"]).year
        for row in elements
        if row["SERVICE_TYPE"] == "reablement"
        and row["END_REASON"] == "completed"
        and 4 <= day(row["END_DATE"]).month <= 10
    )
    assert completions[2018] > completions[2017] > 0
