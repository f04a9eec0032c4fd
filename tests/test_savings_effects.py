"""In-year and full-year effects by the SQL that ships: the macros are rendered and run on the server, the rules not."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import jinja2
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carehouse.database import Role, connect
from carehouse.settings import PROJECT, Settings

pytestmark = pytest.mark.any_server

MACROS = ("costs", "effects", "financial_calendar")
WEEKS_IN_A_YEAR = 52
PENNY = Decimal("0.01")

weekly_amounts = st.integers(-500_000, 500_000).map(lambda pence: Decimal(pence) / 100)
days = st.dates(date(1999, 12, 1), date(2040, 12, 31))
changes = st.lists(st.tuples(weekly_amounts, days), min_size=1, max_size=40)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
Effects = list[tuple[Decimal, Decimal, date]]


def rendered(expression: str) -> str:
    """Render an expression with the project's own macros, as dbt would."""
    sources = [(PROJECT / "dbt_project" / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in MACROS]
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - SQL, no page
    template = environment.from_string("\n".join(sources) + "\n{{ " + expression + " }}")
    return re.sub(r"\s+", " ", template.render(var=lambda name: {"weeks_in_a_year": WEEKS_IN_A_YEAR}[name])).strip()


IN_YEAR = rendered("in_year_effect('weekly', 'effective', 'year_end')")
IN_ITS_YEAR = rendered("in_year_effect('weekly', 'effective', financial_year_end('effective'))")
FULL_YEAR = rendered("cost_of_a_year('weekly')")
YEAR_END = rendered("financial_year_end('effective')")


@pytest.fixture(scope="module")
def database(server: Settings) -> Iterator[psycopg.Connection[Any]]:
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as connection:
        yield connection


def effects(database: psycopg.Connection[Any], given_changes: list[tuple[Decimal, date]]) -> Effects:
    """Give the in-year effect, the full-year effect and the year's last day of each change."""
    return database.execute(
        f"select {IN_ITS_YEAR}, {FULL_YEAR}, {YEAR_END} "
        "from unnest(%s::numeric[], %s::date[]) with ordinality as changes (weekly, effective, place) order by place",
        [[weekly for weekly, _ in given_changes], [day for _, day in given_changes]],
    ).fetchall()


def in_year(database: psycopg.Connection[Any], weekly: Decimal, effective: date, year_end: date) -> Decimal:
    row = database.execute(
        f"select {IN_YEAR} from (select %s::numeric as weekly, %s::date as effective, %s::date as year_end) as one",
        [weekly, effective, year_end],
    ).fetchone()
    assert row is not None
    return Decimal(row[0])


def pence(amount: Decimal) -> Decimal:
    return amount.quantize(PENNY, ROUND_HALF_UP)


def last_day(day: date) -> date:
    return date(day.year + (day.month >= 4), 3, 31)


@quick
@given(changes)
def test_an_effect_is_a_seventh_a_day_and_52_weeks_a_year(
    database: psycopg.Connection[Any], changes: list[tuple[Decimal, date]]
) -> None:
    for (weekly, effective), (in_its_year, full_year, year_end) in zip(
        changes, effects(database, changes), strict=True
    ):
        assert year_end == last_day(effective)
        held = sum(1 for _ in range((year_end - effective).days + 1))
        assert pence(in_its_year) == pence(weekly * held / 7)
        assert full_year == weekly * WEEKS_IN_A_YEAR


@quick
@given(changes)
def test_an_effect_has_the_sign_of_the_change_and_is_at_most_a_year(
    database: psycopg.Connection[Any], changes: list[tuple[Decimal, date]]
) -> None:
    for (weekly, _), (in_its_year, full_year, _) in zip(changes, effects(database, changes), strict=True):
        assert in_its_year * weekly >= 0
        # Two days at most above 52 weeks: 1 April of a year with a leap day.
        assert abs(in_its_year) <= abs(full_year) + abs(weekly) * 2 / 7 + PENNY


@quick
@given(weekly_amounts, days)
def test_the_carry_over_is_the_rest_of_52_weeks(
    database: psycopg.Connection[Any], weekly: Decimal, effective: date
) -> None:
    ((in_its_year, full_year, year_end),) = effects(database, [(weekly, effective)])
    rest = 7 * WEEKS_IN_A_YEAR - ((year_end - effective).days + 1)
    assert pence(full_year - in_its_year) == pence(weekly * rest / 7)


@quick
@given(weekly_amounts, weekly_amounts, days)
def test_a_change_in_two_steps_saves_what_one_does(
    database: psycopg.Connection[Any], first: Decimal, second: Decimal, effective: date
) -> None:
    parts = effects(database, [(first, effective), (second, effective)])
    ((whole, full_year, _),) = effects(database, [(first + second, effective)])
    assert abs(sum(part[0] for part in parts) - whole) < Decimal("1e-9")
    assert sum(part[1] for part in parts) == full_year


@quick
@given(weekly_amounts, days, st.integers(0, 400))
def test_a_later_start_loses_exactly_its_days(
    database: psycopg.Connection[Any], weekly: Decimal, effective: date, later: int
) -> None:
    year_end = last_day(effective)
    began = effective + timedelta(days=later)
    before, after = (in_year(database, weekly, day, year_end) for day in (effective, began))
    lost = min(later, (year_end - effective).days + 1)
    assert pence(before - after) == pence(weekly * lost / 7)
    if began > year_end:
        assert after == 0


def test_the_printed_examples_and_the_edges_of_the_year(database: psycopg.Connection[Any]) -> None:
    """R13; 700 a week is 100 a day."""
    weekly = Decimal(700)
    found = effects(
        database,
        [
            (weekly, date(2018, 4, 1)),
            (weekly, date(2019, 4, 1)),
            (weekly, date(2019, 3, 31)),
            (-weekly, date(2019, 3, 25)),
        ],
    )
    assert [(int(in_its_year), int(full_year)) for in_its_year, full_year, _ in found] == [
        (36_500, 36_400),  # a day more than 52 weeks
        (36_600, 36_400),  # a leap year: two
        (100, 36_400),
        (-700, -36_400),
    ]
    assert in_year(database, weekly, date(2019, 4, 1), date(2019, 3, 31)) == 0
