"""Finds the one published figure that is meant, or says what is missing to tell it from others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from carehouse.errors import CarehouseError

Row = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which figure is asked for. What is None must be the only one there is."""

    measure_id: str
    month: date
    council: str | None = None
    period_type: str | None = None
    breakdown: tuple[str, str] | None = None
    publication_id: int | None = None


def publication(asking: psycopg.Cursor[Row], publication_id: int | None) -> Row:
    """Let the session read that publication, or the current one; give its id and as-at date."""
    if publication_id is not None:
        kept = asking.execute("select from mart.publication where publication_id = %s", [publication_id]).fetchone()
        if kept is None:
            raise CarehouseError(f"Publication {publication_id} is not kept. See: carehouse publications")
        asking.execute("select set_config('carehouse.publication', %s, true)", [str(publication_id)])
    current = asking.execute("select publication_id, as_at_date from mart.publication where is_current").fetchone()
    if current is None:
        raise CarehouseError("Nothing has been published yet. Run a night first: carehouse run")
    return current


def measure(asking: psycopg.Cursor[Row], measure_id: str) -> Row:
    """Give what a measure means, as at the publication."""
    found = asking.execute(
        "select * from mart.dim_measure where measure_id = %s and is_current", [measure_id]
    ).fetchone()
    if found is None:
        raise CarehouseError(f"There is no measure {measure_id}. They are listed in mart.dim_measure.")
    return found


def figure(asking: psycopg.Cursor[Row], wanted: Wanted) -> Row:
    """Find the one figure that is meant, or say what is missing to tell it."""
    of_measure = asking.execute("select * from mart.kpi_values where measure_id = %s", [wanted.measure_id]).fetchall()
    if not of_measure:
        raise CarehouseError(f"{wanted.measure_id} has no figure in this publication.")
    found = [row for row in of_measure if _month(row["period_end_date"]) == wanted.month]
    if not found:
        months = sorted({_month(row["period_end_date"]) for row in of_measure})
        raise CarehouseError(
            f"{wanted.measure_id} has no figure for {wanted.month:%Y-%m} in this publication; "
            f"it has from {months[0]:%Y-%m} to {months[-1]:%Y-%m}.{_what_ends_before(asking, wanted)}"
        )
    found = _narrowed(found, "council_code", wanted.council, "council", "--council")
    found = _narrowed(found, "period_type", wanted.period_type, "kind of period", "--period-type")
    kind, part = wanted.breakdown or ("council", None)
    found = _narrowed(found, "breakdown_type", kind, "breakdown", "--breakdown")
    found = _narrowed(found, "breakdown_value", part, kind, f"--breakdown {kind}=")
    # A paper may state a figure of several days of a month: the last is meant.
    return max(found, key=lambda row: row["period_end_date"])


def _what_ends_before(asking: psycopg.Cursor[Row], wanted: Wanted) -> str:
    """Name the extracts beneath a measure that do not reach the end of the month: no figure ends after they do."""
    found = asking.execute(
        """
        select distinct
            delivered.extract_date,
            delivered.source_name || '.' || delivered.table_name || ' of ' || delivered.council_code as extract
        from mart.dim_measure as measures
        inner join mart.data_lineage as lineage
            on lineage.fact_name = any(string_to_array(measures.obtained_from, ' '))
        inner join mart.publication_batches as delivered
            on lineage.source_table = delivered.source_name || '.' || delivered.table_name
        inner join mart.publication as shown
            on shown.is_current and delivered.publication_id = shown.publication_id
        where
            measures.measure_id = %(measure_id)s
            and measures.is_current
            and delivered.extract_date < %(month)s::date + interval '1 month - 1 day'
            and delivered.council_code = coalesce(%(council)s, delivered.council_code)
        order by 1, 2
        """,
        {"measure_id": wanted.measure_id, "month": wanted.month, "council": wanted.council},
    ).fetchall()
    if not found:
        return ""
    return " The newest extracts end before: " + ", ".join(
        f"{row['extract']} on {row['extract_date']}" for row in found
    )


def _narrowed(found: Sequence[Row], column: str, wanted: str | None, what: str, option: str) -> list[Row]:
    there = sorted({row[column] for row in found})
    if wanted is None and len(there) > 1:
        raise CarehouseError(f"Say which {what}, with {option}: {', '.join(there)}.")
    chosen = [row for row in found if wanted is None or row[column] == wanted]
    if not chosen:
        raise CarehouseError(f"There is no {what} {wanted} for this measure and period; there are: {', '.join(there)}.")
    return chosen


def _month(day: date) -> date:
    return day.replace(day=1)
