"""Invented extracts that look like a council's: the same seed gives the same bytes, whoever runs it."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from carehouse.errors import CarehouseError
from ingestion.synth.extract import write_extract
from ingestion.synth.ledger import ledger_lines
from ingestion.synth.periods import day_of, months_between
from ingestion.synth.persons import MOST_PEOPLE, invent_people, person_rows
from ingestion.synth.services import invent_services, service_rows
from ingestion.synth.steps import STEP_TYPES, invent_steps, step_rows

# Lives are invented a little past the extract's date, so that work in progress on that date has an outcome.
LOOK_AHEAD = timedelta(days=90)
# Episodes under way on the first day began before it.
LEAD_IN = timedelta(days=62)


def write_extracts(
    landing: Path,
    council: str,
    people: int,
    start: date,
    end: date,
    seed: int,
) -> list[Path]:
    """Write the mosaic and ledger extracts of an invented council, as they would stand on one date.

    The lives depend on `people`, `start` and `seed` only, and `end` is the day on which they are looked
    at: a later extract with the same three repeats the earlier one, plus what has happened since.

    Args:
        landing: The landing folder; files go to `<landing>/<council>/<source>/<table>_<end>.csv`.
        council: The council's code, which is its folder.
        people: How many person records, from 1 to `MOST_PEOPLE`.
        start: First day of the period. Services open on it reach back before it, and reviews a year.
        end: The extract's date; nothing later is in any file.
        seed: Any whole number from 0.

    Returns:
        The files written, in the order written. Each appears whole, under its name, or not at all.

    Raises:
        CarehouseError: The number of people, the dates or the seed make no sense.
    """
    if not 1 <= people <= MOST_PEOPLE:
        raise CarehouseError(f"People must be from 1 to {MOST_PEOPLE:,}, not {people:,}.")
    if start > end:
        raise CarehouseError(f"The period starts on {start}, after its end on {end}.")
    if seed < 0:
        raise CarehouseError("The seed must be 0 or more.")
    return [write_extract(landing, council, name, end, rows) for name, rows in _tables(people, start, end, seed)]


def _tables(people: int, start: date, end: date, seed: int) -> Iterator[tuple[str, pl.DataFrame]]:
    first, last = day_of(start), day_of(end)
    known = invent_people(people, first, seed)
    months = months_between(start, end)
    until = day_of(end + LOOK_AHEAD)
    events = months_between(start - LEAD_IN, end + LOOK_AHEAD)
    services = invent_services(known, events, first, until, seed)
    yield "mosaic.persons", person_rows(known, last, seed)
    yield "mosaic.service_elements", service_rows(services, known, first, last)
    yield "mosaic.workflow_step_types", STEP_TYPES
    steps = invent_steps(known, services, events, until, seed)
    yield "mosaic.workflow_steps", step_rows(steps, known, first, last)
    del steps
    yield "ledger.lines", ledger_lines(services, known, months, last, seed)
