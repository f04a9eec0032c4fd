"""The invented extracts: repeatable, exact to the penny, and holding the cases that go wrong elsewhere."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from carehouse.errors import CarehouseError
from ingestion.synth import extract, write_extracts

START, END = date(2016, 4, 1), date(2018, 10, 31)
EARLIER = date(2018, 9, 14)
DEMO_PEOPLE = 2_000
TABLES = [
    "ledger/lines",
    "mosaic/persons",
    "mosaic/service_elements",
    "mosaic/workflow_step_types",
    "mosaic/workflow_steps",
]
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


def test_the_five_tables_are_written_where_the_contracts_say(demo: Path) -> None:
    found = sorted(path.relative_to(demo).as_posix() for path in demo.rglob("*.csv"))
    assert found == [f"{table}_2018-10-31.csv" for table in TABLES]


def test_same_seed_same_bytes_other_seed_other_bytes(demo: Path, tmp_path: Path) -> None:
    again, other = write(tmp_path / "again"), write(tmp_path / "other", seed=2)
    for table in TABLES:
        name = f"{table}_{END}.csv"
        assert (again / name).read_bytes() == (demo / name).read_bytes()
    assert (other / f"mosaic/persons_{END}.csv").read_bytes() != (demo / f"mosaic/persons_{END}.csv").read_bytes()


def test_nhs_numbers_are_valid_unique_test_numbers(demo: Path) -> None:
    numbers = [row["NHS_ID"] for row in read(demo, "mosaic/persons") if row["NHS_ID"]]
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
    assert len(people) == DEMO_PEOPLE
    for person in people:
        born, last = day(person["DATE_OF_BIRTH"]), day(person["DATE_OF_DEATH"] or END.strftime("%d/%m/%Y"))
        assert born.replace(year=born.year + 18, day=min(born.day, 28)) <= START
        assert last.year - born.year - ((last.month, last.day) < (born.month, born.day)) <= 100
    assert 0 < sum(bool(person["DATE_OF_DEATH"]) for person in people) < DEMO_PEOPLE // 4


@pytest.mark.parametrize("people", [1, DEMO_PEOPLE])
def test_trailer_is_the_row_count_and_the_exact_sum(tmp_path: Path, people: int) -> None:
    lines = (write(tmp_path, people) / f"ledger/lines_{END}.csv").read_text(encoding="utf-8").splitlines()
    marker, count, total = lines[-1].split(",")
    rows = list(csv.DictReader(lines[:-1]))
    assert rows
    assert marker == "TRAILER"
    assert int(count) == len(rows)
    assert Decimal(total) == sum(Decimal(row["AMOUNT"]) for row in rows)
    assert all(Decimal(row["AMOUNT"]).as_tuple().exponent == -2 for row in rows)


@pytest.mark.parametrize("seed", range(5))
def test_one_person_is_enough(tmp_path: Path, seed: int) -> None:
    folder = write(tmp_path, people=1, seed=seed)
    (person,) = read(folder, "mosaic/persons")
    for table in ("mosaic/service_elements", "mosaic/workflow_steps"):
        assert {row["PERSON_ID"] for row in read(folder, table)} <= {person["PERSON_ID"]}


def test_nothing_in_a_file_is_later_than_its_date(earlier: Path) -> None:
    dated: Counter[str] = Counter()
    for table in TABLES:
        for row in read(earlier, table, EARLIER):
            for column, value in row.items():
                if "DATE" in column or column.endswith("_ON"):
                    dated[column] += bool(value)
                    assert not value or day(value) <= EARLIER, column
    assert len(dated) == 10
    assert min(dated.values()) > 0


def test_a_later_extract_of_the_same_lives_only_adds_to_them(demo: Path, earlier: Path) -> None:
    lines = [tuple(row.values()) for row in read(earlier, "ledger/lines", EARLIER)]
    assert lines
    assert set(lines) <= {tuple(row.values()) for row in read(demo, "ledger/lines")}

    key = ("ELEMENT_DETAIL_ID", "SPLIT_NUMBER")
    before = by_key(read(earlier, "mosaic/service_elements", EARLIER), *key)
    after = by_key(read(demo, "mosaic/service_elements"), *key)
    assert before.keys() < after.keys()
    assert all(after[element] == row for element, row in before.items() if row["END_DATE"])

    key = ("WORKFLOW_STEP_ID", "PERSON_ID")
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

    def fail(*_: Any) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(extract, "_trailer", fail)
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
    people_by_step = Counter(row["WORKFLOW_STEP_ID"] for row in steps)
    assert set(people_by_step.values()) == {1, 2}
    types = by_key(read(demo, "mosaic/workflow_step_types"), "WORKFLOW_STEP_TYPE_ID")
    used = {types[(row["WORKFLOW_STEP_TYPE_ID"],)]["DESCRIPTION"] for row in steps}
    assert any(name.startswith("ZZ") for name in used)
    assert {row["STEP_STATUS"] for row in steps} == {
        "PROPOSED", "INCOMING", "STARTED", "REOPENED", "COMPLETED", "CANCELLED",
    }  # fmt: skip


def test_forms_are_typed_in_late_and_some_without_a_business_date(demo: Path) -> None:
    completed = [row for row in read(demo, "mosaic/workflow_steps") if row["STEP_STATUS"] == "COMPLETED"]
    lags = [(day(row["COMPLETED_ON"]) - day(row["BUSINESS_DATE"])).days for row in completed if row["BUSINESS_DATE"]]
    assert 0 < len(completed) - len(lags) < 0.1 * len(completed)
    assert min(lags) == 0
    assert sum(lag > 14 for lag in lags) > 0.1 * len(lags)


def test_accruals_of_period_12_come_back_as_credits_in_period_1(demo: Path) -> None:
    lines = read(demo, "ledger/lines")
    assert {int(row["PERIOD"]) for row in lines} == set(range(1, 13))
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
    reviews = {"2410", "2411", "2420", "241"}
    reviewed = {
        row["PERSON_ID"]
        for row in read(demo, "mosaic/workflow_steps")
        if row["WORKFLOW_STEP_TYPE_ID"] in reviews
        and row["STEP_STATUS"] == "COMPLETED"
        and day(row["BUSINESS_DATE"] or row["COMPLETED_ON"]) > date(2017, 10, 31)
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
