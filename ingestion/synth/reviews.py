"""Invented reviews: of everybody with long-term support, some weeks after it begins and then about once a year."""

from datetime import date

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, choose, happens, stream
from ingestion.synth.periods import day_of
from ingestion.synth.persons import People
from ingestion.synth.spells import Support
from ingestion.synth.step_lives import live
from ingestion.synth.step_types import (
    FIRST_REVIEW,
    OLD_UNPLANNED_REVIEW,
    TARGETED_REVIEW,
    UNPLANNED_REVIEW,
    YEARLY_REVIEW,
)

FIRST_REVIEW_REF = 10_000_000
RETIRED_ON = date(2017, 4, 1)


def invent_reviews(people: People, services: pl.DataFrame, until_day: int, seed: int) -> pl.DataFrame:
    """Invent the reviews held by `until_day`, sorted by number."""
    support = Support(people, services)
    held = support.first_day + stream(seed, "first review").integers(35, 71, people.count)
    everybody = np.arange(people.count, dtype=np.int64)
    found = []
    turn = 0
    while turn == 0 or (held <= until_day).any():
        rng = stream(seed, "review", turn)
        step_type = np.full(people.count, FIRST_REVIEW) if turn == 0 else _later_types(rng, held)
        ref = FIRST_REVIEW_REF + turn * people.count + everybody
        reviews = live(rng, people, ref, everybody, step_type, held, notice_days=42)
        is_due = support.is_given(reviews["person"].to_numpy(), reviews["held"].to_numpy())
        found.append(reviews.filter(pl.Series(is_due), pl.col("held") <= until_day))
        held = held + _days_to_next_review(rng, people.count)
        turn += 1
    return pl.concat(found)


def _later_types(rng: np.random.Generator, held: Whole) -> Whole:
    is_unplanned = happens(rng, 220, held.size)
    is_old = happens(rng, 250, held.size) & (held < day_of(RETIRED_ON))
    is_targeted = happens(rng, 350, held.size) & (held >= day_of(RETIRED_ON))
    unplanned = np.where(is_old, OLD_UNPLANNED_REVIEW, np.where(is_targeted, TARGETED_REVIEW, UNPLANNED_REVIEW))
    return np.where(is_unplanned, unplanned, YEARLY_REVIEW)


def _days_to_next_review(rng: np.random.Generator, count: int) -> Whole:
    # A year is due. Most come near it, some early because something changed, many late.
    earliest, latest = np.array([(120, 300), (300, 400), (400, 750)])[choose(rng, [18, 44, 38], count)].T
    return np.asarray(rng.integers(earliest, latest), dtype=np.int64)
