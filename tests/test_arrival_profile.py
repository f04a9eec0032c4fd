"""Profiles: what is counted as rows move equals what an independent count of the whole table gives."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carehouse.arrival import REJECTED, Bucket
from ingestion.contract import FOLDER, Contract, load_contract
from ingestion.landing import Outcome, ingest
from ingestion.profile import Tally
from ingestion.withdrawal import withdraw
from tests.conftest import Warehouse

CONTACTS = load_contract(FOLDER / "mosaic" / "contacts.yaml")
FIRST_DAY = date(2018, 10, 1)
JOURNALS = "JOURNAL_ID,JOURNAL_TYPE,POSTING_DATE,FINANCIAL_YEAR,PERIOD,REVERSES_JOURNAL,LINE_COUNT,TOTAL,SOURCE_SYSTEM"
ANSWERS = "CHANGE_TYPE,FORM_ID,QUESTION_USER_CODE,WORKFLOW_STEP_ID,TEMPLATE_ID,DATE_ANSWER,LOOKUP_ANSWER"
TYPES = ("payment_run", "income", "manual", "correction", "accrual")

Row = dict[str, Any]


def independently(rows: Iterable[Row], columns: Iterable[str], dates: set[str], codes: set[str]) -> Counter[Bucket]:
    """Count row by row; a month more than 36 before the latest extract's is one of the earlier ones."""
    counts: Counter[Bucket] = Counter({Bucket("rows"): 0})
    for column in columns:
        counts[Bucket("blank", column)] = 0
    for row in rows:
        counts[Bucket("rows")] += 1
        for column in columns:
            value = row[column]
            if value is None:
                counts[Bucket("blank", column)] += 1
            elif column in codes:
                counts[Bucket("code", column, value)] += 1
            elif column in dates:
                month = f"{value:%Y-%m}"
                counts[Bucket("month", column, "earlier" if month < "2015-10" else month)] += 1
    return counts


@given(
    st.lists(
        st.tuples(
            st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)), st.none() | st.sampled_from(["a", "b", "c"])
        ),
        max_size=40,
    ),
    st.integers(1, 7),
)
def test_blocks_are_counted_like_rows_one_by_one(rows: list[tuple[date | None, str | None]], size: int) -> None:
    names = {column.name: column for column in CONTACTS.stored}
    frame = pl.DataFrame(
        {
            name: [day for day, _ in rows] if column.kind == "date" else [code for _, code in rows]
            for name, column in names.items()
        },
        schema={name: pl.Date if column.kind == "date" else pl.String for name, column in names.items()},
    )
    tally = Tally(CONTACTS)
    for start in range(0, len(rows), size):
        tally.add(frame.slice(start, size))
    expected: Counter[Bucket] = Counter({Bucket("rows"): len(rows)})
    for name, column in names.items():
        values = [day if column.kind == "date" else code for day, code in rows]
        expected[Bucket("blank", name)] = values.count(None)
        for value in values:
            if isinstance(value, date):
                far = "earlier" if value.year < 1900 else "later" if value.year > 2099 else None
                expected[Bucket("month", name, far or f"{value.year:04}-{value.month:02}")] += 1
            elif value is not None and column.codes:
                expected[Bucket("code", name, value)] += 1
    assert tally.counts() == dict(expected)


def kept(warehouse: Warehouse, table: str) -> dict[Bucket, int]:
    """The profile after the latest batch that has one and still stands."""
    rows = warehouse.rows(
        f"""
        select kind, column_name, bucket, row_count
        from audit.batch_profile
        where batch_id = (
            select max(batch_id) from audit.batch_profile inner join audit.batch using (batch_id)
            where table_name = '{table}' and withdrawn_on is null
        )
        """
    )
    return {Bucket(*bucket): count for *bucket, count in rows if bucket[0] != REJECTED}


def counted(warehouse: Warehouse, contract: Contract) -> dict[Bucket, int]:
    """The same, counted here from the rows that history holds open."""
    columns = [column.name for column in contract.stored]
    rows = warehouse.rows(f"select {', '.join(columns)} from history.{contract.history_table} where known_to is null")
    return dict(
        independently(
            (dict(zip(columns, row, strict=True)) for row in rows),
            columns,
            {column.name for column in contract.stored if column.kind == "date"},
            {column.name for column in contract.stored if column.codes},
        )
    )


def a_day(chance: random.Random) -> str:
    """Some day, long ago or to come."""
    return f"{date(2014, 1, 1) + timedelta(days=chance.randrange(2400)):%d/%m/%Y}"


def a_journal(chance: random.Random, number: int) -> str:
    """One row, now and then without what it may lack."""
    source = chance.choice(["", "LEDGER"])
    return f"J{number},{chance.choice(TYPES)},{a_day(chance)},2018/19,1,,2,10.00,{source}"


def a_snapshot(chance: random.Random, rows: dict[int, str]) -> str:
    """The table after some rows came, changed and went."""
    for number in chance.sample(range(60), 12):
        if number in rows and chance.random() < 0.4:
            del rows[number]
        else:
            rows[number] = a_journal(chance, number)
    return "\n".join([JOURNALS, *rows.values(), f"TRAILER,{len(rows)},{len(rows)}0.00"]) + "\n"


def a_feed(chance: random.Random, _: dict[int, str]) -> str:
    """Changes to some rows, some of them to one more than once."""
    lines = []
    for _number in range(15):
        operation = chance.choice(["insert", "update", "update", "delete"])
        day = "" if operation == "delete" else chance.choice(["", a_day(chance)])
        lines.append(f"{operation},{chance.randrange(1, 30)},Q1,7,7,{day},")
    return "\n".join([ANSWERS, *lines]) + "\n"


def rounds(
    warehouse: Warehouse, place: str, contract: Contract, make: Callable[[random.Random, dict[int, str]], str]
) -> None:
    """Deliver, at times late, at times withdrawn, and compare each time."""
    chance, rows, day = random.Random(91), {}, FIRST_DAY  # noqa: S311
    for number in range(14):
        day += timedelta(days=1)
        is_late = number in (4, 9)
        extract_date = day - timedelta(days=20) if is_late else day
        before = dict(rows)
        warehouse.land(f"exampleshire/{place}_{extract_date}.csv", make(chance, rows))
        assert ingest(warehouse.settings, business_date=day) == Outcome(accepted=1)
        assert kept(warehouse, contract.table) == counted(warehouse, contract), number
        if is_late:
            rows = before
        elif number % 5 == 2:
            ((latest,),) = warehouse.rows("select max(batch_id) from audit.batch")
            withdraw(warehouse.settings, latest, "Ann Example", "It was another day's.", day)
            assert kept(warehouse, contract.table) == counted(warehouse, contract), number
            rows = before


@pytest.mark.any_server
def test_a_profile_grown_from_snapshots_is_that_of_the_table(warehouse: Warehouse) -> None:
    rounds(warehouse, "ledger/journals", load_contract(FOLDER / "ledger" / "journals.yaml"), a_snapshot)


@pytest.mark.any_server
def test_a_profile_grown_from_change_feeds_is_that_of_the_table(warehouse: Warehouse) -> None:
    rounds(warehouse, "mosaic/form_answers", load_contract(FOLDER / "mosaic" / "form_answers.yaml"), a_feed)


@pytest.mark.any_server
def test_without_a_profile_that_adds_up_the_table_is_counted_anew(warehouse: Warehouse) -> None:
    contract, chance, rows = load_contract(FOLDER / "ledger" / "journals.yaml"), random.Random(5), {}  # noqa: S311
    forgotten = ["false", "true", "column_name = 'source_system_code'", "kind = 'code' and bucket = 'manual'"]
    for number, which in enumerate(forgotten):
        with warehouse.admin() as admin:
            admin.execute(f"delete from audit.batch_profile where {which}")  # type: ignore[arg-type]
        day = FIRST_DAY + timedelta(days=number)
        warehouse.land(f"exampleshire/ledger/journals_{day}.csv", a_snapshot(chance, rows))
        assert ingest(warehouse.settings, business_date=day) == Outcome(accepted=1)
        assert kept(warehouse, "journals") == counted(warehouse, contract), which


@pytest.mark.any_server
def test_days_of_a_persons_own_life_are_not_counted_by_month(warehouse: Warehouse) -> None:
    header = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
    warehouse.land("exampleshire/mosaic/persons_2018-10-01.csv", header + "1,,Ann,Example,01/02/1950,,F,ZZ1 1ZZ\n")
    assert ingest(warehouse.settings, business_date=FIRST_DAY) == Outcome(accepted=1)
    assert warehouse.rows("select distinct kind from audit.batch_profile order by 1") == [("blank",), ("rows",)]


@pytest.mark.any_server
def test_each_table_of_a_set_in_one_transaction_has_its_own(warehouse: Warehouse) -> None:
    steps = (
        "WORKFLOW_STEP_ID,SUBGROUP_ID,WORKFLOW_STEP_TYPE_ID,STEP_STATUS,INCOMING_ON,STARTED_ON,COMPLETED_ON,"
        "CANCELLED_ON,ASSIGNEE_ID,RESPONSIBLE_TEAM_ID"
    )
    tables = {
        "subgroups": ["SUBGROUP_ID,GROUP_ID,ONLY_SUBJECT_TYPE_CODE", "1,1,PER", "2,2,"],
        "subgroup_subjects": ["SUBGROUP_ID,SUBJECT_COMPOUND_ID,SUBJECT_TYPE_CODE", "1,1,PER", "2,2,PER"],
        "workflow_steps": [steps, "1,1,5,STARTED,01/09/2018,,,,,", "2,2,5,COMPLETED,01/09/2018,,02/10/2018,,,"],
    }
    for day, rows in (("01", 2), ("02", 3)):
        for table, lines in tables.items():
            warehouse.land(f"exampleshire/mosaic/{table}_2018-10-{day}.csv", "\n".join(lines[:rows]) + "\n")
        assert ingest(warehouse.settings, business_date=date(2018, 10, 2)) == Outcome(accepted=3)
    for table in tables:
        assert kept(warehouse, table) == counted(warehouse, load_contract(FOLDER / "mosaic" / f"{table}.yaml"))
