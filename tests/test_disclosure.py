"""Nothing withheld from the open figures can be found again by subtraction: a solver tries, with all that was shown."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from carehouse.database import Role, connect
from carehouse.settings import PROJECT, Settings
from tests.conftest import Night
from tests.disclosure_attack import Attack, Figure, Month, Part, Wanted, ranges
from tests.model_sql import model_sql

pytestmark = pytest.mark.any_server

HES = (8, 5, True)
BOTH_SIDES_UNDER_5 = (5, 5, False)
MODELS = ("int_open__figures", "int_open__withheld", "open_kpi_values")
# With all that two publications say, and all months of a year to date, a count is known no better than to four numbers.
NARROWEST = 4
# Sizes that rounding and the rule treat differently, and those next to them.
SIZES = (0, 0, 0, 0, 1, 1, 2, 3, 5, 7, 8, 8, 9, 12, 13, 30)

Counts = tuple[int, int]
Key = tuple[str, str, date, Part]


@dataclass(frozen=True)
class Truth:
    """What is so: by month, age band and team, how many count and how many more only belong to the denominator."""

    table: str
    is_flow: bool
    is_share: bool
    people: dict[tuple[Month, str, str], Counts]

    @property
    def period_types(self) -> tuple[str, ...]:
        """The kinds of period of the measure, its headline last."""
        return ("month", "year_to_date") if self.is_flow else ("month_end",)

    def figures(self) -> dict[Key, Counts]:
        """Give every figure as kpi_values has it: the council's always, a part's where it occurs."""
        months = sorted({month for month, _, _ in self.people})
        found: dict[Key, Counts] = {}
        for period_type in self.period_types:
            for month in months:
                added: dict[Part, Counts] = defaultdict(lambda: (0, 0))
                inside = Figure("", period_type, month_end(month), ("", ""), False, (None,)).months
                for (when, age, team), (counted, rest) in self.people.items():
                    for part in (("council", "a"), ("age_band", age), ("team", team)) if when in inside else ():
                        added[part] = (added[part][0] + counted, added[part][1] + rest)
                for part, counts in added.items():
                    if part[0] == "council" or sum(counts):
                        found[self.table, period_type, month_end(month), part] = counts
        return found


def month_end(month: Month) -> date:
    """Give the last day of a month, numbered from 0."""
    year, number = month
    following = date(year + 1, 1, 1) if number == 11 else date(year, number + 2, 1)
    return date.fromordinal(following.toordinal() - 1)


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Draw a table of few people: of events by month in a year and a bit, or of a stock at a month end."""
    is_flow, is_share = draw(st.booleans()), draw(st.booleans())
    months = [
        divmod(2017 * 12 + 3 + number, 12) for number in range(draw(st.sampled_from([3, 12, 13])) if is_flow else 1)
    ]
    ages = [f"age {number}" for number in range(draw(st.integers(1, 7 if not is_flow else 3)))]
    teams = [f"team {number}" for number in range(draw(st.integers(1, 3)))]
    cells = [(month, age, team) for month in months for age in ages for team in teams]
    sizes = st.lists(st.sampled_from(SIZES), min_size=len(cells), max_size=len(cells))
    counted = draw(sizes)
    rest = draw(sizes) if is_share else [0] * len(cells)
    people = dict(zip(cells, zip(counted, rest, strict=True), strict=True))
    return Truth("", is_flow, is_share, people)


class Desk:
    """The real models on tables of a test's own choosing."""

    def __init__(self, session: psycopg.Connection[Any], rule: tuple[int, int, bool] = HES):
        """Judge by that rule: small below, rounded to, whether zero is shown."""
        self.session = session
        self.rule = rule
        self.changes: dict[str, tuple[str, str]] = {}
        session.execute("discard temp")
        session.execute(
            """
            create temp table int_kpi__measures (
                measure_id text, formula_code text, unit_code text, period_types text
            );
            create temp table kpi_registry (
                measure_id text, measure_name text, area_code text, valid_from date, valid_to date
            );
            create temp table disclosure_measures (
                measure_id text, is_about_people boolean, is_amount boolean, open_period_type text
            );
            create temp table disclosure_rules (
                council_code text, suppress_below integer, round_to integer, is_zero_shown boolean
            );
            create temp table int_kpi__figures (
                council_code text, measure_id text, period_type text, period_start_date date, period_end_date date,
                financial_year text, period_number integer, breakdown_type text, breakdown_value text,
                how_obtained_code text, numerator numeric, denominator numeric, base_numerator numeric, value numeric,
                value_text text
            );
            create temp view int_kpi__values as select *, numerator as contribution_count from int_kpi__figures;
            create temp table stg_store__open_figures_before (
                council_code text, measure_id text, period_type text, period_end_date date, breakdown_type text,
                breakdown_value text, was_open boolean, was_withheld boolean, was_above_zero boolean
            );
            """
        )
        session.execute("insert into disclosure_rules values ('all', %s, %s, %s)", rule)

    def publish(self, truths: Sequence[Truth], publication: int = 1) -> list[Figure]:
        """Give the open figures of a night; the next night of this desk remembers them."""
        self.session.execute("truncate int_kpi__measures, kpi_registry, int_kpi__figures")
        with self.session.cursor() as cursor:
            for truth in truths:
                formula, unit = ("percent", "percent") if truth.is_share else ("total", "people")
                cursor.execute(
                    "insert into int_kpi__measures values (%s, %s, %s, %s)",
                    [truth.table, formula, unit, " ".join(truth.period_types)],
                )
                cursor.execute("insert into kpi_registry values (%s, 'x', 'x', '2000-01-01')", [truth.table])
                cursor.executemany(
                    "insert into int_kpi__figures values "
                    "('a', %s, %s, null, %s, 'x', %s, %s, %s, 'calculated', %s, %s, null, %s, null)",
                    [
                        (table, period_type, end, (end.month - 4) % 12 + 1, *part, counted)
                        + ((counted + rest, 0) if truth.is_share else (None, counted))
                        for (table, period_type, end, part), (counted, rest) in truth.figures().items()
                    ],
                )
        for model in MODELS:
            query = model_sql(model, as_at="2018-10-31", publication_id=1)
            changed = query.replace(*self.changes[model]) if model in self.changes else query
            assert (changed != query) == (model in self.changes)
            self.session.execute(f"drop table if exists {model} cascade")  # type: ignore[call-overload]
            self.session.execute(f"create temp table {model} as {changed}")  # type: ignore[call-overload]
        self.session.execute(
            """
            create temp table seen as
            select
                council_code, measure_id, period_type, period_end_date, breakdown_type, breakdown_value,
                bool_or(was_open) as was_open, bool_or(was_withheld) as was_withheld,
                coalesce(bool_or(was_above_zero), false) as was_above_zero
            from (
                select * from stg_store__open_figures_before
                union all
                select
                    council_code, measure_id, period_type, period_end_date, breakdown_type, breakdown_value,
                    coalesce(withheld_code, 'not_available') = 'not_available',
                    withheld_code is not distinct from 'small_numbers', value > 0 or denominator > 0
                from open_kpi_values
            ) as said
            group by 1, 2, 3, 4, 5, 6;
            truncate stg_store__open_figures_before;
            insert into stg_store__open_figures_before select * from seen;
            drop table seen;
            """
        )
        return shown(self.session, "open_kpi_values", publication)


def shown(session: psycopg.Connection[Any], table: str, publication: int = 1) -> list[Figure]:
    """Read the open figures about people as an attacker does."""
    rows = session.execute(
        f"""
        select
            council_code || ' ' || measure_id, period_type, period_end_date, breakdown_type, breakdown_value,
            bool_or(numerator is not null and denominator is not null) over (partition by council_code, measure_id),
            coalesce(numerator, denominator, value)::integer, denominator::integer, suppressed_below, rounded_to
        from {table}
        where
            rounded_to is not null and withheld_code is distinct from 'no_counts'
            -- Of a sum no count is shown, and K027 is a difference.
            and unit_code not in ('gbp', 'gbp_per_year', 'hours') and measure_id not in ('K027', 'K066')
        """  # type: ignore[arg-type]
    ).fetchall()
    return [
        Figure(table, kind, end, (of, part), share, (first, second) if share else (first,), below, to, publication)
        for table, kind, end, of, part, share, first, second, below, to in rows
    ]


@pytest.fixture
def session(server: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Give a session with tables of its own, on a server that is there anyway."""
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as opened:
        yield opened


def by_table(figures: Sequence[Figure]) -> dict[str, list[Figure]]:
    """Sort figures by table; tables share nothing."""
    sorted_out: dict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        sorted_out[figure.table].append(figure)
    return sorted_out


def true_count(truth: dict[Key, Counts], wanted: Wanted) -> int:
    """Give what a wanted count really is."""
    figure = wanted.figure
    counted, rest = truth[figure.table, figure.period_type, figure.period_end, figure.part]
    return {"numerator": counted, "rest": rest, "denominator": counted + rest}[wanted.count]


def known(*truths: Truth) -> dict[Key, Counts]:
    """Give what is so, by the names that the open figures have."""
    return {(f"a {key[0]}", *key[1:]): counts for truth in truths for key, counts in truth.figures().items()}


def is_protected(wanted: Wanted, really: int) -> bool:
    """Whether the rule protects it: small, and of a council as a whole not the rest, which rounding alone hides."""
    return 0 < really < wanted.figure.suppressed_below and (wanted.count != "rest" or not wanted.figure.is_whole)


def assert_hidden(found: Sequence[tuple[Wanted, int, int]], truth: dict[Key, Counts]) -> None:
    """Every withheld count that is small can still be every small number."""
    for wanted, least, most in found:
        figure, really = wanted.figure, true_count(truth, wanted)
        assert least <= really <= most
        if is_protected(wanted, really):
            assert least <= 1 and most >= figure.suppressed_below - 1, (figure, wanted.count, really, least, most)


@trying(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(truths(), min_size=6, max_size=12))
@pytest.mark.parametrize("rule", [HES, BOTH_SIDES_UNDER_5], ids=["1 to 7", "both sides under 5"])
def test_every_withheld_count_of_any_table_can_still_be_every_small_number(
    rule: tuple[int, int, bool], drawn: list[Truth], session: psycopg.Connection[Any]
) -> None:
    drawn = [replace(truth, table=f"K{number:03}") for number, truth in enumerate(drawn)]
    figures = by_table(Desk(session, rule).publish(drawn))
    truth = known(*drawn)
    attacks = [
        (attack, attack.wanted(f for f in of if f.is_withheld)) for of in figures.values() for attack in [Attack(of)]
    ]
    assert_hidden(ranges(attacks), truth)


def moved(truth: Truth, change: dict[tuple[int, int, int], Counts]) -> Truth:
    """Give the same table as it is known a night later: `change` adds to cells by place of month, age band and team."""
    people = dict(truth.people)
    sides = [sorted({cell[side] for cell in people}) for side in range(3)]
    for places, more in change.items():
        cell = tuple(side[place % len(side)] for side, place in zip(sides, places, strict=True))
        counted, rest = people[cell]  # type: ignore[index]
        people[cell] = (max(counted + more[0], 0), max(rest + more[1], 0) if truth.is_share else 0)  # type: ignore[index]
    return replace(truth, people=people)


def unchanged(earlier: Truth, later: Truth) -> Callable[[Part, Month], bool]:
    """Tell which parts did not change in which months."""
    differing = {cell for cell in earlier.people if earlier.people[cell] != later.people[cell]}
    moved_parts = {(("age_band", age), month) for month, age, _ in differing}
    moved_parts |= {(("team", team), month) for month, _, team in differing}
    return lambda part, month: (part, month) not in moved_parts


@trying(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(truths(), min_size=4, max_size=8),
    changes=st.lists(
        st.dictionaries(
            st.tuples(*[st.integers(0, 12)] * 3),
            st.tuples(st.sampled_from([-8, -2, -1, 1, 2, 5]), st.sampled_from([-1, 0, 1])),
            min_size=1,
            max_size=2,
        ),
        min_size=8,
        max_size=8,
    ),
)
def test_nor_do_two_publications_tell_who_knows_what_changed_between_them(
    drawn: list[Truth],
    changes: list[dict[tuple[int, int, int], Counts]],
    session: psycopg.Connection[Any],
) -> None:
    first = [replace(truth, table=f"K{number:03}") for number, truth in enumerate(drawn)]
    second = [moved(truth, change) for truth, change in zip(first, changes, strict=False)]
    desk = Desk(session)
    shown_first, shown_second = by_table(desk.publish(first, 1)), by_table(desk.publish(second, 2))
    for earlier, later in zip(first, second, strict=True):
        figures = [*shown_first[f"a {earlier.table}"], *shown_second[f"a {earlier.table}"]]
        attack = Attack(figures, unchanged(earlier, later))
        truth = {1: known(earlier), 2: known(later)}
        hidden = [f for f in figures if f.is_withheld]
        for wanted, least, most in ranges([(attack, attack.wanted(hidden))]):
            figure = wanted.figure
            really = true_count(truth[figure.publication], wanted)
            assert least <= really <= most
            if is_protected(wanted, really):
                assert most - least + 1 >= NARROWEST, (figure, wanted.count, really, least, most)


def stock(*sizes: int, rest: Sequence[int] = (), table: str = "K000") -> Truth:
    """A stock at a month end, by age band."""
    left = [*rest, *[0] * (len(sizes) - len(rest))]
    people = {((2018, 8), f"age {number}", "team"): (size, left[number]) for number, size in enumerate(sizes)}
    return Truth(table, is_flow=False, is_share=bool(rest), people=people)


def flow(*sizes: int, rest: Sequence[int] = (), table: str = "K000") -> Truth:
    """Events by month, from April."""
    left = [*rest, *[0] * (len(sizes) - len(rest))]
    people = {
        (divmod(2017 * 12 + 3 + number, 12), "age", "team"): (size, left[number]) for number, size in enumerate(sizes)
    }
    return Truth(table, is_flow=True, is_share=bool(rest), people=people)


def by_the_rule_alone(truth: Truth) -> list[Figure]:
    """Give every figure with small numbers withheld and the others rounded, as the rule says and no more."""
    return [
        Figure(
            table,
            period_type,
            end,
            part,
            is_share=False,
            counts=(None if 0 < size < 8 else 5 * round(size / 5),),
            is_known_small=0 < size < 8,
        )
        for (table, period_type, end, part), (size, _) in truth.figures().items()
    ]


def worst(figures: Sequence[Figure], is_unchanged: Callable[[Part, Month], bool] = lambda part, month: True) -> int:
    """Give between how many numbers the attacker has to choose for the withheld count that he knows best."""
    attack = Attack(figures, is_unchanged)
    hidden = attack.wanted(figure for figure in figures if figure.is_withheld and not figure.is_whole)
    return min(most - least + 1 for _, least, most in ranges([(attack, hidden)]))


@pytest.mark.parametrize(
    "truth",
    [stock(8, 8, 1), stock(*[1] * 12), stock(*[7] * 4), flow(8, 8, 1)],
    ids=["a part by the total", "twelve of one", "four of seven", "a month by the year to date"],
)
def test_the_rule_alone_would_give_them_away(truth: Truth, session: psycopg.Connection[Any]) -> None:
    alone = by_the_rule_alone(truth)
    assert worst(alone) == 1
    figures = Desk(session).publish([truth])
    attack = Attack(figures)
    assert_hidden(ranges([(attack, attack.wanted(f for f in figures if f.is_withheld))]), known(truth))


NIGHTS: dict[str, tuple[tuple[str, str], list[Truth]]] = {
    "no part is withheld beside a small one": (
        ("place <= withheld_places as is_withheld", "place <= small_count as is_withheld"),
        [stock(8, 8, 1)],
    ),
    "what was withheld is shown the night after": (
        ("or was_withheld as is_small", "as is_small"),
        [stock(1, 8, 8), stock(0, 8, 8)],
    ),
    "the council is shown beside parts that were shown": (
        ("where has_whole and was_open", "where false and was_open"),
        [stock(8, 8, 0), stock(8, 8, 1)],
    ),
}


@pytest.mark.parametrize("missing", NIGHTS)
def test_without_any_one_of_the_means_the_attack_succeeds(missing: str, session: psycopg.Connection[Any]) -> None:
    change, nights = NIGHTS[missing]
    found = []
    for changes in ({}, {"int_open__withheld": change}):
        desk = Desk(session)
        desk.changes = changes
        figures = [figure for night, truth in enumerate(nights, 1) for figure in desk.publish([truth], night)]
        found.append(
            worst(figures, unchanged(nights[0], nights[-1]))
            if any(f.is_withheld and not f.is_whole for f in figures)
            else None
        )
    assert found[0] is None or found[0] >= 7
    assert found[1] == 1


@trying(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(st.tuples(*[st.lists(st.sampled_from(SIZES), min_size=12, max_size=12)] * 2), min_size=5, max_size=5)
)
def test_a_small_month_is_not_told_by_the_years_to_date_around_it(
    drawn: list[tuple[list[int], list[int]]], session: psycopg.Connection[Any]
) -> None:
    truths = [
        flow(*counted, rest=rest if number % 2 else (), table=f"K{number:03}")
        for number, (counted, rest) in enumerate(drawn)
    ]
    attacks = []
    for figures in by_table(Desk(session).publish(truths)).values():
        assert {figure.period_type for figure in figures} == {"year_to_date"}
        attack = Attack(figures)
        months = [replace(f, period_type="month", part=("council", "a")) for f in figures if f.is_whole]
        attacks.append((attack, [one for one in attack.wanted(months) if one.count != "rest"]))
    truth = known(*truths)
    for wanted, least, most in ranges(attacks):
        really = true_count(truth, wanted)
        assert least <= really <= most
        if is_protected(wanted, really):
            assert most - least + 1 >= NARROWEST, (wanted.figure, wanted.count, really, least, most)


@pytest.mark.parametrize(
    ("rule", "size", "expected"),
    [(HES, size, shown_as) for size, shown_as in [(0, 0), (1, None), (7, None), (8, 10), (12, 10), (13, 15)]]
    + [(BOTH_SIDES_UNDER_5, size, shown_as) for size, shown_as in [(0, None), (4, None), (5, 5), (7, 5), (8, 10)]],
)
def test_the_rule_is_kept(
    rule: tuple[int, int, bool], size: int, expected: int | None, session: psycopg.Connection[Any]
) -> None:
    (figure,) = [one for one in Desk(session, rule).publish([stock(size)]) if one.is_whole]
    assert figure.counts == (expected,)
    said = session.execute(
        "select value, withheld_code from open_kpi_values where breakdown_type = 'council'"
    ).fetchall()
    assert said == [(expected, None if expected is not None else "small_numbers")]


def test_a_council_may_have_a_rule_of_its_own(session: psycopg.Connection[Any]) -> None:
    desk = Desk(session)
    session.execute("insert into disclosure_rules values ('a', 11, 3, true), ('b', 3, 3, true)")
    assert {figure.counts for figure in desk.publish([stock(10)])} == {(None,)}
    assert {figure.counts for figure in desk.publish([stock(13, table="K001")])} == {(12,)}


@pytest.mark.parametrize(
    ("suppress_below", "round_to", "is_sound"),
    [(8, 5, True), (5, 5, True), (8, 1, False), (8, 4, False), (2, 5, False), (0, 0, False)],
)
def test_a_rule_that_subtraction_defeats_is_refused(
    suppress_below: int, round_to: int, is_sound: bool, session: psycopg.Connection[Any]
) -> None:
    seed = yaml.safe_load((PROJECT / "dbt_project" / "seeds" / "disclosure_rules.yml").read_text(encoding="utf-8"))
    (sound,) = [one["every_row"]["arguments"] for one in seed["seeds"][0]["data_tests"] if "every_row" in one]
    judged = session.execute(
        f"select {sound['expression']} from (values ({suppress_below}, {round_to})) as rule (suppress_below, round_to)"  # type: ignore[arg-type]
    ).fetchone()
    assert judged == (is_sound,)


def test_a_rate_is_of_rounded_counts_and_there_is_none_without_both(session: psycopg.Connection[Any]) -> None:
    Desk(session).publish([stock(31, rest=[17], table="K000"), stock(3, rest=[50], table="K001")])
    said = session.execute(
        "select numerator, denominator, value, withheld_code from open_kpi_values "
        "where breakdown_type = 'council' order by measure_id"
    ).fetchall()
    assert [tuple(None if one is None else str(one) for one in row) for row in said] == [
        ("30.00", "50.00", "60.00", None),
        (None, None, None, "small_numbers"),
    ]


def test_the_open_reader_finds_the_night_and_cannot_tell_a_small_number_from_it(night: Night) -> None:
    settings = night.warehouse.settings
    with connect(settings, Role.OPEN_READER) as reader:
        figures = shown(reader, "mart_open.kpi_values")
    with connect(settings, Role.READER) as reader:
        exact = reader.execute(
            """
            select
                council_code || ' ' || measure_id, period_type, period_end_date, breakdown_type, breakdown_value,
                coalesce(numerator, value)::integer, denominator::integer, unit_code in ('days', 'gbp_per_week')
            from mart.kpi_values
            """
        ).fetchall()
    truth = {
        (table, kind, end, (of, part)): (out_of, 0) if is_average else (counted, (out_of or counted) - counted)
        for table, kind, end, of, part, counted, out_of, is_average in exact
        if counted is not None
    }
    tables: dict[tuple[str, object], list[Figure]] = defaultdict(list)
    for figure in figures:
        # Month ends share nothing with one another; two of the year will do.
        if figure.period_type != "month_end" or figure.period_end.month in (3, 10):
            year = figure.period_end.year - (figure.period_end.month < 4)
            tables[figure.table, figure.period_end if figure.period_type == "month_end" else year].append(figure)
    attacks = [
        (attack, attack.wanted(figure for figure in of if figure.is_withheld))
        for of in tables.values()
        for attack in [Attack(of)]
    ]
    found = ranges(attacks)
    assert_hidden(found, truth)
    assert sum(is_protected(wanted, true_count(truth, wanted)) for wanted, _, _ in found) > 200
    assert sum(not figure.is_withheld for figure in figures) > 500


def test_open_figures_are_exported_by_their_own_reader(night: Night, tmp_path: Path) -> None:
    done = night.warehouse.command("export", "--open", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert {file.name for file in folder.iterdir()} == {
        "kpi_values.csv",
        "measures.csv",
        "publication.csv",
        "data_dictionary.csv",
        "manifest.json",
    }
    refused = night.warehouse.command("sql", "--open", "select * from mart.kpi_values")
    assert refused.returncode == 1 and "permission denied" in refused.stderr
