"""Which review agreed a split, and which savings project it is credited to."""

import polars as pl

from ingestion.synth.chance import Flag, Whole
from ingestion.synth.periods import NEVER
from ingestion.synth.splits import (
    ADULTHOOD,
    ALTERNATIVE_SETTINGS,
    DIRECT_PAYMENT,
    DIRECT_PAYMENTS,
    NO_PROJECT,
    PRICES,
    REABLEMENT,
    RESIDENTIAL,
    TARGETED_REVIEWS,
)
from ingestion.synth.step_types import TARGETED_REVIEW

# A change within so many days after a review was agreed at it.
AGREED_WITHIN_DAYS = 120
# Preparing for adulthood is about people up to this age.
ADULT_AT, DAYS_A_YEAR = 26, 365.25


def agree(splits: pl.DataFrame, reviews: pl.DataFrame, birth: Whole, is_older: Flag) -> pl.DataFrame:
    """Tie each split to the review before it, and credit a cheaper one to at most one savings project (R34).

    A saving has evidence: a split with a project began after a targeted review, or in a more independent
    setting, or is a lower price of a younger adult's care home, or was agreed with somebody young, and costs less a
    week than the split before it. `birth` and `is_older` are by position of the people.
    """
    held = reviews.filter(pl.col("typed") < NEVER).select("person", "step_ref", "step_type", "held").sort("held")
    # In full order, since the split before is asked for: a sort by start alone leaves ties to chance.
    agreed = (
        splits.sort("start", "element_ref", "split_number")
        .join_asof(
            held,
            left_on="start",
            right_on="held",
            by="person",
            strategy="backward",
            tolerance=AGREED_WITHIN_DAYS,
            check_sortedness=False,
        )
        .sort("person", "start", "element_ref", "split_number")
    )
    before = pl.col("weekly_pence").shift().over("person")
    is_long_term = pl.col("service_type") != REABLEMENT
    is_cheaper = is_long_term & (pl.col("weekly_pence") < before) & (pl.col("weekly_pence") > 0)
    moved_up = (pl.col("split_number") == 1) & (pl.col("service_type") > pl.col("service_type").shift().over("person"))
    person = agreed["person"].to_numpy()
    is_younger = pl.Series(~is_older[person], dtype=pl.Boolean)
    is_young = (pl.col("start") - pl.Series(birth[person])) < ADULT_AT * DAYS_A_YEAR
    is_later = pl.col("split_number") > 1
    project = (
        pl.when(~is_cheaper)
        .then(NO_PROJECT)
        .when((pl.col("split_number") > 1) & (pl.col("step_type") == TARGETED_REVIEW))
        .then(TARGETED_REVIEWS)
        .when(moved_up & (pl.col("service_type") == DIRECT_PAYMENT))
        .then(DIRECT_PAYMENTS)
        .when(moved_up & (pl.col("element_ref") % 3 == 0))
        .then(ALTERNATIVE_SETTINGS)
        .when(is_later & pl.col("step_ref").is_null() & (pl.col("service_type") <= RESIDENTIAL) & is_younger)
        .then(PRICES)
        .when(is_later & pl.col("step_ref").is_not_null() & is_young)
        .then(ADULTHOOD)
        .otherwise(NO_PROJECT)
    )
    return (
        agreed.with_columns(project.cast(pl.Int64).alias("project"))
        .drop("step_type", "held")
        .sort("element_ref", "split_number")
    )
