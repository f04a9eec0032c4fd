"""Invented Shared Lives households and their carers: applying, assessed, approved, resigning."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, choose, fate, stream
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date

PEOPLE_PER_HOUSEHOLD, LEAST_HOUSEHOLDS = 90, 8
# Households apply from years before the first day to ten years after it, so that a later night only adds.
APPLY_FROM_DAYS, APPLY_UNTIL_DAYS = -1_500, 3_653
TYPES = ("long_term", "short_breaks", "day_support")
OUTCOMES = ("approved", "not_approved", "withdrawn")
APPROVED = 0
REASONS = ("retired", "moved_away", "health", "other_work", "scheme")


def _households(lives: Lives) -> pl.DataFrame:
    """One row is a household that applies at some time; days are since 1970."""
    count = LEAST_HOUSEHOLDS + lives.people.count // PEOPLE_PER_HOUSEHOLD
    rng = stream(lives.seed, "shared lives")
    number = np.arange(count, dtype=np.int64)
    applied = lives.first_day + rng.integers(APPLY_FROM_DAYS, APPLY_UNTIL_DAYS, count)
    begun = applied + rng.integers(10, 90, count)
    ended = begun + rng.integers(60, 180, count)
    outcome = choose(rng, [72, 12, 16], count)
    leaves = applied + rng.integers(500, 5_000, count)
    return pl.DataFrame(
        {
            "number": number,
            "kind": choose(rng, [70, 22, 8], count),
            "gives_short_breaks": rng.integers(0, 100, count) < 30,
            "places": rng.integers(1, 4, count),
            "carers": rng.integers(1, 3, count),
            "applied": applied,
            "begun": begun,
            "ended": ended,
            "outcome": outcome,
            "left": np.where(outcome == APPROVED, np.maximum(leaves, ended + 30), NEVER),
        }
    )


def _household_ref() -> pl.Expr:
    return pl.format("SLH{}", pl.col("number").cast(pl.String).str.zfill(5))


def household_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the households extract as it stands on a night, those going through the process included."""
    is_dropped = (pl.col("outcome") != APPROVED) & (pl.col("ended") <= night)
    seen = _households(lives).filter(pl.col("applied") <= night, ~is_dropped)
    is_approved = (pl.col("outcome") == APPROVED) & (pl.col("ended") <= night)
    return seen.select(
        _household_ref().alias("household_ref"),
        pl.col("kind").replace_strict(dict(enumerate(TYPES)), return_dtype=pl.String).alias("main_type_code"),
        (pl.col("gives_short_breaks") & (pl.col("kind") != TYPES.index("short_breaks"))).alias("gives_short_breaks"),
        pl.col("places").alias("place_count"),
        as_date(pl.when(is_approved).then("ended")).alias("approved_date"),
        as_date(pl.when(pl.col("left") <= night).then("left")).alias("ended_date"),
    )


def carer_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the carers extract as it stands on a night: one or two a household."""
    households = _households(lives).filter(pl.col("applied") <= night)
    second = households.filter(pl.col("carers") == 2)
    carers = pl.concat([households.with_columns(place=pl.lit(1)), second.with_columns(place=pl.lit(2))])
    number: Whole = carers["number"].to_numpy() * 10 + carers["place"].to_numpy()
    reason = pl.Series("reason", fate(lives.seed, "resignation", number, len(REASONS)))
    is_over = pl.col("ended") <= night
    has_left = pl.col("left") <= night
    return (
        carers.with_columns(reason)
        .sort("number", "place")
        .select(
            pl.format("SLC{}-{}", pl.col("number").cast(pl.String).str.zfill(5), "place").alias("carer_ref"),
            _household_ref().alias("household_ref"),
            as_date(pl.col("applied")).alias("applied_date"),
            as_date(pl.when(pl.col("begun") <= night).then("begun")).alias("assessment_start_date"),
            as_date(pl.when(is_over).then("ended")).alias("assessment_end_date"),
            pl.when(is_over)
            .then(pl.col("outcome").replace_strict(dict(enumerate(OUTCOMES)), return_dtype=pl.String))
            .alias("assessment_outcome_code"),
            as_date(pl.when(has_left).then("left")).alias("resigned_date"),
            pl.when(has_left)
            .then(pl.col("reason").replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String))
            .alias("resignation_reason_code"),
        )
    )
