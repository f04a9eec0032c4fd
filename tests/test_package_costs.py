"""Packages, their costs and reasons for support equal what counting day by day gives, however services overlap."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carehouse.database import Role, connect
from carehouse.settings import Settings
from tests.model_sql import model_sql, render

FIRST, DAYS = date(2018, 8, 20), 75
SETTINGS = [("residential", 2), ("supported_living", 3), ("homecare", 6), ("reablement", 9)]
COST_OF_DAYS = render("{{ cost_of_days('%(weekly)s::numeric', '%(first)s::date', '%(last)s::date') }}")
TABLES = """
create temp table int_support__services (
    council_code text, person_id text, element_ref bigint, split_number integer, overlap_priority integer,
    is_long_term boolean, start_date date, end_date date, weekly_cost_gbp numeric(16, 2),
    weekly_health_gbp numeric(16, 2), weekly_better_care_fund_gbp numeric(16, 2));
create temp table int_packages__contributions (
    council_code text, person_id text, start_date date, end_date date, weekly_contribution_gbp numeric(16, 2),
    is_full_cost boolean);
create temp table setting_hierarchy (service_type_code text, overlap_priority integer);
create temp table int_calendar__month_ends (month_end_date date);
insert into int_calendar__month_ends values ('2018-08-31'), ('2018-09-30'), ('2018-10-31');
create temp table int_calendar__coverage (council_code text, dataset_code text, held_from_date date, held_through_date date);
insert into int_calendar__coverage
select council_code, dataset_code, '2018-01-01', 'infinity'
from unnest(array['a', 'b']) as council_code, unnest(array['services', 'financial_assessments']) as dataset_code;
create temp table stg_audit__accepted_batches (council_code text, source_name text, table_name text);
insert into stg_audit__accepted_batches
values ('a', 'mosaic', 'financial_assessments'), ('b', 'mosaic', 'financial_assessments');
create temp table int_freshness__facts (
    council_code text, fact_name text, is_stale boolean, newest_extract_date date, held_through_date date);
create temp table int_persons__people (council_code text, person_id text, birth_date date);
create temp table int_persons__support_reasons (
    council_code text, person_id text, support_reason_code text, start_date date, end_date date);
create temp table stg_mosaic__service_user_groups (
    council_code text, person_ref bigint, support_reason_code text, start_date date, end_date date);
create temp table int_persons__identities (council_code text, person_ref bigint, person_id text);
"""

days = st.integers(0, DAYS - 1).map(lambda day: FIRST + timedelta(days=day))
people = st.sampled_from(["one", "two"])
councils = st.sampled_from(["a", "b"])
pence = st.one_of(st.just(0), st.integers(1, 120_000)).map(lambda amount: Decimal(amount) / 100)


@st.composite
def spans(draw: st.DrawFn) -> tuple[date, date | None]:
    """Draw a time that may be one day, touch, lie inside another or never end."""
    start = draw(days)
    length = draw(st.one_of(st.none(), st.sampled_from([0, 6, 7, 30]), st.integers(0, DAYS)))
    return start, None if length is None else start + timedelta(days=length)


@st.composite
def services(draw: st.DrawFn) -> tuple[Any, ...]:
    kind, priority = draw(st.sampled_from(SETTINGS))
    cost = draw(st.one_of(pence, pence, pence, st.none()))
    share = draw(st.sampled_from([0, 0, 50, 100]))
    health = None if cost is None else rounded(cost * share / 100)
    fund = (
        None if cost is None or health is None else rounded((cost - health) * draw(st.sampled_from([0, 0, 100])) / 100)
    )
    return (draw(councils), draw(people), priority, kind != "reablement", *draw(spans()), cost, health, fund)


@st.composite
def contributions(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Draw one person's assessments, which never overlap."""
    bounds = sorted(draw(st.lists(days, min_size=2, max_size=6, unique=True)))
    return [(first, after - timedelta(days=1), draw(pence), draw(st.booleans())) for first, after in pairwise(bounds)]


def rounded(amount: Decimal | Fraction) -> Decimal:
    """Round to the penny, halves away from zero."""
    if isinstance(amount, Fraction):
        in_pence = abs(amount) * 100
        whole = int(in_pence) + (in_pence - int(in_pence) >= Fraction(1, 2))
        return Decimal(whole if amount >= 0 else -whole) / 100
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.fixture(scope="module")
def database(server: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection with the tables that the models read, empty."""
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as connection:
        connection.execute(TABLES)
        with connection.cursor() as cursor:
            cursor.executemany("insert into setting_hierarchy values (%s, %s)", SETTINGS)
        yield connection


def fill(database: psycopg.Connection[Any], table: str, rows: list[tuple[Any, ...]]) -> None:
    database.execute(f"delete from {table}")
    if rows:
        places = ", ".join(["%s"] * len(rows[0]))
        with database.cursor() as cursor:
            cursor.executemany(f"insert into {table} values ({places})", rows)


def table_of(database: psycopg.Connection[Any], model: str) -> list[tuple[Any, ...]]:
    """Build a model as a table of its name; give its rows."""
    database.execute(f"drop table if exists {model}")
    database.execute(f"create temp table {model} as {model_sql(model, as_at='2018-10-31', publication_id=1)}")
    return database.execute(f"select * from {model}").fetchall()


def covers(day: date, start: date, end: date | None) -> bool:
    return start <= day and (end is None or day <= end)


def package_on(day: date, held: list[tuple[Any, ...]], assessed: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    """Give setting, services, unpriced services, gross, health, Better Care Fund, contribution and net of a day."""
    there = [row for row in held if covers(day, row[4], row[5]) and (row[3] or row[6] is not None)]
    if not there:
        return None
    setting = {priority: kind for kind, priority in SETTINGS}[min(row[2] for row in there)]
    unpriced = sum(row[6] is None for row in there)
    if unpriced:
        return setting, len(there), unpriced, None, None, None, None, None
    gross, health, fund = (sum((row[column] for row in there), Decimal(0)) for column in (6, 7, 8))
    council = gross - health - fund
    owed = Decimal(0)
    for start, end, amount, pays_all in assessed:
        if covers(day, start, end):
            owed = council if pays_all else min(amount, council)
    return setting, len(there), 0, gross, health, fund, owed, council - owed


@pytest.mark.any_server
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(services(), max_size=14), assessed=st.tuples(contributions(), contributions()))
def test_packages_equal_their_services_on_every_day(
    database: psycopg.Connection[Any], held: list[tuple[Any, ...]], assessed: tuple[list[tuple[Any, ...]], ...]
) -> None:
    who = [(council, person) for council in ("a", "b") for person in ("one", "two")]
    # The second person's assessments are the same in both councils, the first's only in one.
    owed = {("a", "one"): assessed[0], ("a", "two"): assessed[1], ("b", "two"): assessed[1]}
    rows = [(*row[:2], number, 1, *row[2:]) for number, row in enumerate(held)]
    fill(database, "int_support__services", rows)
    fill(database, "int_packages__contributions", [(*key, *row) for key, listed in owed.items() for row in listed])
    fill(database, "int_persons__people", [(*key, None) for key in who])
    segments = table_of(database, "int_packages__segments")

    keys = [(row[0], row[1]) for row in segments]
    assert len(keys) == len(set(keys))
    cost_by_month: defaultdict[tuple[str, date], Fraction] = defaultdict(Fraction)
    for council, person in who:
        own = [row for row in held if row[:2] == (council, person)]
        found = {row[3]: row for row in segments if (row[0], row[2]) == (council, person)}
        for before, after in pairwise(sorted(found)):
            assert found[before][4] < after, "segments overlap"
            touch = found[before][4] + timedelta(days=1) == after
            assert not touch or found[before][5:] != found[after][5:], "cut where nothing changed"
        for step in range(DAYS * 3):
            day = FIRST + timedelta(days=step)
            there = [row[5:] for row in found.values() if covers(day, row[3], row[4])]
            expected = package_on(day, own, owed.get((council, person), []))
            assert there == ([] if expected is None else [expected]), day
            if expected is not None and expected[3] is not None:
                cost_by_month[council, day.replace(day=1)] += Fraction(expected[3]) / 7

    table_of(database, "int_packages__month_slices")
    months = table_of(database, "kpi_package_costs")
    names = [column.name for column in database.execute("select * from kpi_package_costs").description or []]
    printed: dict[tuple[str, date], list[Decimal]] = {}
    for row in (dict(zip(names, month, strict=True)) for month in months):
        printed.setdefault((row["council_code"], row["month_end_date"].replace(day=1)), []).append(
            row["gross_cost_gbp"]
        )
    for month in {(council, date(2018, number, 1)) for council in ("a", "b") for number in (8, 9, 10)}:
        amounts = printed.get(month, [])
        # Each row is rounded once, by half a penny at most; one row alone is the exact amount, rounded.
        assert abs(sum(map(Fraction, amounts), Fraction(0)) - cost_by_month[month]) * 200 <= len(amounts)
        if len(amounts) == 1:
            assert amounts == [rounded(cost_by_month[month])]


@pytest.mark.any_server
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(weekly=pence, start=days, cuts=st.lists(st.integers(0, 400), min_size=1, max_size=5))
def test_a_span_cut_in_pieces_costs_what_it_did_whole(
    database: psycopg.Connection[Any], weekly: Decimal, start: date, cuts: list[int]
) -> None:
    ends = sorted({start + timedelta(days=cut) for cut in cuts})
    starts = [start, *(end + timedelta(days=1) for end in ends[:-1])]
    pieces = " + ".join(
        COST_OF_DAYS.replace("%(first)s", f"'{first}'").replace("%(last)s", f"'{last}'")
        for first, last in zip(starts, ends, strict=True)
    )
    whole = COST_OF_DAYS.replace("%(first)s", f"'{start}'").replace("%(last)s", f"'{ends[-1]}'")
    query = f"select round({pieces}, 2), round({whole}, 2)".replace("%(weekly)s", str(weekly))
    (answer,) = database.execute(query).fetchall()
    exact = rounded(Fraction(weekly) * ((ends[-1] - start).days + 1) / 7)
    assert answer == (exact, exact)


@pytest.mark.any_server
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(st.tuples(st.integers(1, 3), st.sampled_from("xyz"), spans()), max_size=10))
def test_one_reason_for_support_is_in_force_on_a_day(
    database: psycopg.Connection[Any], listed: list[tuple[int, str, tuple[date, date | None]]]
) -> None:
    identities = {1: "one", 2: "one", 3: "two"}
    fill(database, "int_persons__people", [("a", person, None) for person in ("one", "two")])
    fill(database, "int_persons__identities", [("a", *pair) for pair in identities.items()])
    fill(database, "stg_mosaic__service_user_groups", [("a", ref, code, *span) for ref, code, span in listed])
    reasons = database.execute(model_sql("int_persons__support_reasons")).fetchall()
    for person in ("one", "two"):
        for step in range(DAYS * 3):
            day = FIRST + timedelta(days=step)
            there = [(span[0], code) for ref, code, span in listed if identities[ref] == person and covers(day, *span)]
            latest = max((start for start, _ in there), default=None)
            expected = sorted(code for start, code in there if start == latest)[:1]
            assert [row[2] for row in reasons if row[1] == person and covers(day, row[3], row[4])] == expected
