"""Invented extracts that look like a council's: the same seed gives the same bytes, whoever runs it."""

from collections.abc import Sequence
from datetime import date
from itertools import chain
from pathlib import Path

import polars as pl

from carehouse.errors import CarehouseError
from ingestion.synth.extract import contracts, write_extract
from ingestion.synth.faults import NO_FAULTS, Plan
from ingestion.synth.lives import Lives, Night
from ingestion.synth.periods import day_of
from ingestion.synth.persons import MOST_PEOPLE
from ingestion.synth.planting import Planter
from ingestion.synth.tables import TABLES, rows_of
from ingestion.synth.truth import write_truth
from ingestion.synth.workbooks import in_workbooks, write_workbook


def write_extracts(
    landing: Path,
    council: str,
    people: int,
    start: date,
    end: date,
    seed: int,
    *,
    nights: Sequence[date] | None = None,
    plan: Plan = NO_FAULTS,
    truth: Path | None = None,
    workbooks: bool = False,
) -> list[Path]:
    """Write the extracts of an invented council, as they would stand on one night or on several.

    The lives depend on `people`, `start` and `seed` only, and a night is a day on which they are looked
    at: a later one repeats the earlier, plus what has happened and what was put right since.

    Args:
        landing: The landing folder; files go to `<landing>/<council>/<source>/<table>_<night>.csv`.
        council: The council's code, which is its folder.
        people: How many people, from 1 to `MOST_PEOPLE`; a few have a second record for a while.
        start: First day of the period. Services open on it reach back before it, and reviews a year.
        end: The last night; nothing later is in any file.
        seed: Any whole number from 0.
        nights: The days for which extracts are cut, in order, the last of them `end`; default: `end` alone.
        plan: The faults to plant.
        workbooks: Whether tables that may come as sheets of a workbook do so, and not as files of their own. No fault
            is planted in a workbook.
        truth: A folder for what was planted: see `ingestion.synth.truth`. Keep it apart from the landing folder.

    Returns:
        The files written, in the order written. Each appears whole, under its name, or not at all; a table
        without rows on a night, such as a feed on a night without changes, has no file.

    Raises:
        CarehouseError: The number of people, the dates, the seed or the faults make no sense.
    """
    if not 1 <= people <= MOST_PEOPLE:
        raise CarehouseError(f"People must be from 1 to {MOST_PEOPLE:,}, not {people:,}.")
    if start > end:
        raise CarehouseError(f"The period starts on {start}, after its end on {end}.")
    if seed < 0:
        raise CarehouseError("The seed must be 0 or more.")
    cut = list(nights or [end])
    if cut != sorted(set(cut)) or cut[0] < start or cut[-1] != end:
        raise CarehouseError(f"The nights must be in order, from {start} on, and end with {end}.")
    if truth is not None and truth.resolve().is_relative_to(landing.resolve()):
        raise CarehouseError(f"The truth must lie apart from the extracts, not in {landing}.")
    lives = Lives(people, start, end, seed)
    planter = Planter(plan, seed, council, landing)
    written = []
    for number, extract_date in enumerate(cut):
        night = Night(day_of(extract_date), day_of(cut[number - 1]) if number else None)
        sheets = in_workbooks(contracts()) if workbooks else {}
        apart = {contract.name for book in sheets.values() for contract, _ in book}
        for name in (each for each in TABLES if each not in apart):
            rows = iter(rows_of(contracts()[name], lives, night))
            first = next((part for part in rows if part.height), None)
            # Nobody sends an extract that holds nothing, and a loader refuses one.
            if first is None:
                continue
            planting = planter.file(contracts()[name], extract_date, number + 1)
            path = write_extract(landing, council, name, extract_date, chain([first], rows), planting.spoil)
            if path is not None:
                written.append(planting.finish(path))
        for book in sheets.values():
            held = {contract.name: pl.concat(rows_of(contract, lives, night)) for contract, _ in book}
            if any(rows.height for rows in held.values()):
                written.append(write_workbook(landing, council, extract_date, book, held))
    if truth is not None:
        write_truth(truth, council, lives, planter.planted)
    return written
