"""Takes a published figure apart: the rows of facts it was made of, and the files and lines those came from.

All is read as the mart reader, in one snapshot of one publication. Nothing that identifies a person is read: a person
is a pseudonym, and a source row is told by the numbers that its fact shows too, by its file and its line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from carehouse import wanted_figure
from carehouse.database import Role, connect
from carehouse.settings import Settings
from carehouse.wanted_figure import Row, Wanted

PARTS = {"team": "team_ref", "age_band": "age_band", "support_reason": "support_reason_code"}
OWN_COLUMNS = ("publication_id", "council_code", "person_id")


@dataclass(frozen=True)
class Source:
    """One line of a file from which a fact row was made."""

    table: str
    key: str
    known_from: date
    batch_id: int
    file_name: str
    line_number: int
    content_sha256: str

    @property
    def archived_name(self) -> str:
        """The file's name in the archive folder, below council and source: under its hash."""
        stem, dot, suffixes = self.file_name.partition(".")
        return f"{stem}.{self.content_sha256[:12]}{dot}{suffixes}"


@dataclass(frozen=True)
class Contribution:
    """What one fact row adds to the figure: as often as `times`, which is below 0 in a base year."""

    counted_on: date
    fact_name: str
    fact_key: str
    numerator: Decimal | None
    denominator: Decimal | None
    times: int
    parts: Row
    fact: Row
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Explanation:
    """A figure with what it means and what it is made of.

    `figure` is its row of `mart.kpi_values`, `measure` that of `mart.dim_measure`. `contributions` are all of them
    or the first ones, `contribution_count` says how many there are; the sums are of all.
    """

    figure: Row
    measure: Row
    as_at_date: date
    contributions: tuple[Contribution, ...]
    contribution_count: int
    numerator: Decimal | None
    denominator: Decimal | None
    base_numerator: Decimal | None

    @property
    def is_stated(self) -> bool:
        """Whether a paper or a return states the figure, so that there is nothing to add up."""
        return bool(self.figure.get("how_obtained_code") == "reported")

    @property
    def adds_up(self) -> bool:
        """Whether the rows add up to the figure as published, which rounds to two decimals."""
        return all(
            published is None or _rounded(found or Decimal()) == published
            for published, found in (
                (self.figure["numerator"], self.numerator),
                (self.figure["denominator"], self.denominator),
                (self.figure.get("base_numerator"), self.base_numerator),
            )
        )


def explain(settings: Settings, wanted: Wanted, rows: int | None = None) -> Explanation:
    """Take a published figure apart, to `rows` of its rows at most.

    Raises:
        CarehouseError: nothing is published; there is no such measure, period, council or part; or more than one
            figure answers, and the message names what tells them apart.
    """
    with connect(settings, Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        asking = reader.cursor(row_factory=dict_row)
        publication = wanted_figure.publication(asking, wanted.publication_id)
        measure = wanted_figure.measure(asking, wanted.measure_id)
        figure = wanted_figure.figure(asking, wanted)
        windows = _windows(measure, figure)
        sums = _sums(asking, figure, windows)
        listed = _contributions(asking, figure, windows, rows)
        return Explanation(
            figure=figure,
            measure=measure,
            as_at_date=publication["as_at_date"],
            contributions=tuple(_with_facts(asking, figure["council_code"], listed)),
            contribution_count=sums["contribution_count"],
            numerator=sums["numerator"],
            denominator=sums["denominator"],
            base_numerator=sums["base_numerator"],
        )


@dataclass(frozen=True)
class _Window:
    """Days whose rows count `times` times."""

    first: date
    last: date
    times: int


def _windows(measure: Row, figure: Row) -> list[_Window]:
    """Give the days that count in a figure: its period's, and the base year's, taken off."""
    windows = [_Window(figure["period_start_date"], figure["period_end_date"], 1)]
    base = figure.get("base_start_date")
    if base is None:
        return windows
    end = figure["period_end_date"]
    months = (end.month - base.month) % 12 + 1
    same_period_ends = date(base.year + (base.month + months > 12), (base.month + months - 1) % 12 + 1, 1)
    year_ends = base.replace(year=base.year + 1)
    whole_years = 0
    if measure["formula_code"] == "above_base_year_cumulative":
        whole_years = end.year - (end.month < base.month) - base.year - 1
    windows.append(_Window(base, _day_before(same_period_ends), -(whole_years + 1)))
    if whole_years and same_period_ends < year_ends:
        windows.append(_Window(same_period_ends, _day_before(year_ends), -whole_years))
    return windows


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _chosen(figure: Row, windows: Sequence[_Window]) -> sql.Composed:
    """Give the rows of `kpi_contributions` that a figure is made of, each with how often it counts."""
    if figure.get("how_obtained_code") == "reported":
        return sql.SQL(
            "select *, 1 as times from mart.kpi_contributions where basis_code = 'stated' "
            "and council_code = {council} and measure_id = {measure} and period_type = {period_type} "
            "and counted_on_date = {day} and other_breakdown_value = {part}"
        ).format(
            council=figure["council_code"],
            measure=figure["measure_id"],
            period_type=figure["period_type"],
            day=figure["period_end_date"],
            part="unknown" if figure["breakdown_type"] == "council" else figure["breakdown_value"],
        )
    part: sql.Composable = sql.SQL("true")
    if figure["breakdown_type"] != "council":
        column = PARTS.get(figure["breakdown_type"], "other_breakdown_value")
        part = sql.SQL("{} = {}").format(sql.Identifier(column), figure["breakdown_value"])
    days = sql.SQL(", ").join(
        sql.SQL("({}::date, {}::date, {}::integer)").format(window.first, window.last, window.times)
        for window in windows
    )
    return sql.SQL(
        "select made.*, windows.times from mart.kpi_contributions as made "
        "inner join (values {days}) as windows (first_date, last_date, times) "
        "on made.counted_on_date between windows.first_date and windows.last_date "
        "where basis_code = 'counted' and council_code = {council} and measure_id = {measure} and {part}"
    ).format(days=days, council=figure["council_code"], measure=figure["measure_id"], part=part)


def _sums(asking: psycopg.Cursor[Row], figure: Row, windows: Sequence[_Window]) -> Row:
    found = asking.execute(
        sql.SQL(
            "select count(*) as contribution_count, sum(numerator) filter (where times > 0) as numerator, "
            "sum(denominator) filter (where times > 0) as denominator, "
            "-sum(numerator * times) filter (where times < 0) as base_numerator from ({}) as chosen"
        ).format(_chosen(figure, windows))
    ).fetchone()
    return found or {}


def _contributions(asking: psycopg.Cursor[Row], figure: Row, windows: Sequence[_Window], rows: int | None) -> list[Row]:
    return asking.execute(
        sql.SQL(
            "select * from ({}) as chosen order by times desc, counted_on_date, fact_name, fact_key limit {}"
        ).format(_chosen(figure, windows), rows)
    ).fetchall()


def _with_facts(asking: psycopg.Cursor[Row], council: str, listed: Sequence[Row]) -> Iterator[Contribution]:
    """Add to each contribution its row of the fact, and the lines that row was made from."""
    facts: dict[tuple[str, str], Row] = {}
    sources: dict[tuple[str, str], list[Source]] = {}
    for fact_name in sorted({row["fact_name"] for row in listed}):
        keys = sorted({row["fact_key"] for row in listed if row["fact_name"] == fact_name})
        key_column = _key_column(asking, fact_name)
        if key_column is None:
            continue
        for fact in asking.execute(
            sql.SQL("select * from {} where council_code = %s and {}::text = any(%s)").format(
                sql.Identifier("mart", fact_name), sql.Identifier(key_column)
            ),
            [council, keys],
        ).fetchall():
            facts[fact_name, str(fact[key_column])] = fact
        for line in asking.execute(
            "select * from mart.source_rows(%s, %s, %s) order by source_table, source_key, batch_id, line_number",
            [fact_name, council, keys],
        ).fetchall():
            sources.setdefault((fact_name, line["fact_key"]), []).append(_source(line))
    for row in listed:
        at = row["fact_name"], row["fact_key"]
        yield Contribution(
            counted_on=row["counted_on_date"],
            fact_name=row["fact_name"],
            fact_key=row["fact_key"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            times=row["times"],
            parts={name: row[column] for name, column in {**PARTS, "other": "other_breakdown_value"}.items()},
            fact=facts.get(at, {}),
            sources=tuple(dict.fromkeys(sources.get(at, []))),
        )


def _key_column(asking: psycopg.Cursor[Row], fact_name: str) -> str | None:
    found = asking.execute(
        "select fact_key_column from mart.data_lineage where fact_name = %s limit 1", [fact_name]
    ).fetchone()
    return found["fact_key_column"] if found else None


def _source(line: Row) -> Source:
    return Source(
        table=line["source_table"],
        key=line["source_key"],
        known_from=line["known_from_date"],
        batch_id=line["batch_id"],
        file_name=line["file_name"],
        line_number=line["line_number"],
        content_sha256=line["content_sha256"],
    )


def _rounded(number: Decimal) -> Decimal:
    """Round as the marts do: halves away from zero."""
    return number.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
