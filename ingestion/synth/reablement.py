"""Invented reablement: episodes of weeks, cut into rows, busier in winter and growing from 2018/19."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, choose, happens, stream, vary, whole_number
from ingestion.synth.periods import Month
from ingestion.synth.persons import People
from ingestion.synth.splits import (
    CHANGED,
    COMPLETED,
    DIED,
    HOMECARE,
    HOSPITAL,
    MOVED,
    REABLEMENT,
    SHAPE,
    USUAL_WEEKLY_PENCE,
    WITHDRAWN,
    splits,
)

FIRST_ELEMENT_REF = 1_000_000_000
FIRST_SEQUEL_REF = 2_000_000_000
REFS_A_MONTH = 1_000_000
MOST_ROWS = 3

EPISODES_A_YEAR_PER_PERSON = 0.15
GROWTH_FROM, GROWTH = 2018, 1.2
# Share of a year's episodes that begin in each month, January first, in thousandths.
SEASON = (105, 96, 92, 80, 76, 70, 68, 68, 74, 84, 90, 97)
COMPLETED_SHARE = 0.74
OLDER_WEIGHT = 6
OTHER_REASONS = np.array([HOSPITAL, WITHDRAWN, MOVED])


def invent_reablement(people: People, months: list[Month], seed: int) -> pl.DataFrame:
    """Invent the reablement rows that begin in the months, and homecare that follows some of them."""
    found = [_month(people, month, stream(seed, "reablement", month.serial)) for month in months]
    return pl.concat([pl.DataFrame(schema=SHAPE), *found])


@dataclass(frozen=True)
class _Episodes:
    """The episodes of one month as they are planned; a death may cut them short."""

    number: Whole
    person: Whole
    start: Whole
    length: Whole
    reason: Whole
    death: Whole

    @property
    def count(self) -> int:
        return self.person.size


def _month(people: People, month: Month, rng: np.random.Generator) -> pl.DataFrame:
    growth = GROWTH if month.starting_year >= GROWTH_FROM else 1.0
    expected = people.count * EPISODES_A_YEAR_PER_PERSON * growth * SEASON[month.number - 1] / 1000
    person = people.some(rng, whole_number(rng, expected), month.first, OLDER_WEIGHT)
    count = person.size
    reason = OTHER_REASONS[choose(rng, [45, 40, 15], count)]
    # The share is exact, so that growth shows even in a small council.
    reason[rng.permutation(count) < round(count * COMPLETED_SHARE)] = COMPLETED
    episodes = _Episodes(
        number=month.serial % 1000 * REFS_A_MONTH + MOST_ROWS * np.arange(count, dtype=np.int64),
        person=person,
        start=rng.integers(month.first, month.last + 1, count),
        length=rng.integers(14, 43, count),
        reason=reason,
        death=people.death[person],
    )
    return pl.concat([_rows(rng, episodes), _sequels(rng, people, episodes)])


def _rows(rng: np.random.Generator, episodes: _Episodes) -> pl.DataFrame:
    """Cut each episode into one to three rows that touch, nearly touch, or overlap by days."""
    count, start, length = episodes.count, episodes.start, episodes.length
    pieces = 1 + choose(rng, [55, 30, 15], count)
    touches = happens(rng, 600, count)
    joint = np.where(touches, 0, np.array([-3, -2, -1, 1, 2])[rng.integers(0, 5, count)])
    element = FIRST_ELEMENT_REF + episodes.number
    found = []
    for piece in range(MOST_ROWS):
        is_last = piece == pieces - 1
        piece_start = start + length * piece // pieces
        piece_end = start + length * (piece + 1) // pieces - 1 + np.where(is_last, 0, joint)
        reason = np.where(is_last, episodes.reason, CHANGED)
        columns = {
            "element_ref": np.where(touches, element, element + piece),
            "split_number": np.where(touches, piece + 1, 1),
            "person": episodes.person,
            "service_type": np.full(count, REABLEMENT),
            "start": piece_start,
            "end": np.minimum(piece_end, episodes.death),
            "end_reason": np.where(piece_end >= episodes.death, DIED, reason),
            "weekly_pence": np.zeros(count, dtype=np.int64),
        }
        found.append(splits(columns, (piece < pieces) & (piece_start < episodes.death)))
    return pl.concat(found)


def _sequels(rng: np.random.Generator, people: People, episodes: _Episodes) -> pl.DataFrame:
    """Let homecare follow some of the completed episodes within days."""
    count = episodes.count
    start = episodes.start + episodes.length + rng.integers(0, 6, count)
    end = start + rng.integers(60, 500, count)
    usual = USUAL_WEEKLY_PENCE[people.age_group[episodes.person], HOMECARE]
    columns = {
        "element_ref": FIRST_SEQUEL_REF + episodes.number,
        "split_number": np.ones(count, dtype=np.int64),
        "person": episodes.person,
        "service_type": np.full(count, HOMECARE),
        "start": start,
        "end": np.minimum(end, episodes.death),
        "end_reason": np.where(end >= episodes.death, DIED, WITHDRAWN),
        "weekly_pence": vary(rng, usual, 500, 1300),
    }
    follows = (episodes.reason == COMPLETED) & happens(rng, 240, count)
    return splits(columns, follows & (start < episodes.death))
