"""Which review agreed a split, and which savings project it is credited to."""

import polars as pl

from ingestion.synth.periods import NEVER
from ingestion.synth.splits import (
    ALTERNATIVE_SETTINGS,
    DIRECT_PAYMENT,
    DIRECT_PAYMENTS,
    NO_PROJECT,
    REABLEMENT,
    TARGETED_REVIEWS,
)
from ingestion.synth.step_types import TARGETED_REVIEW

# A change within so many days after a review was agreed at it.
AGREED_WITHIN_DAYS = 120


def agree(splits: pl.DataFrame, reviews: pl.DataFrame) -> pl.DataFrame:
    """Tie each split to the review before it, and credit a cheaper one to at most one savings project (R34).

    A saving has evidence: a split with a project began after a targeted review, or in a more independent
    setting, and costs less a week than the split before it.
    """
    held = reviews.filter(pl.col("typed") < NEVER).select("person", "step_ref", "step_type", "held").sort("held")
    # In full order, since the split before is asked for: a sort by start alone leaves ties to chance.
    agreed = splits.sort("start", "element_ref", "split_number").join_asof(
        held,
        left_on="start",
        right_on="held",
        by="person",
        strategy="backward",
        tolerance=AGREED_WITHIN_DAYS,
        check_sortedness=False,
    )
    before = pl.col("weekly_pence").shift().over("person")
    is_long_term = pl.col("service_type") != REABLEMENT
    is_cheaper = is_long_term & (pl.col("weekly_pence") < before) & (pl.col("weekly_pence") > 0)
    moved_up = (pl.col("split_number") == 1) & (pl.col("service_type") > pl.col("service_type").shift().over("person"))
    project = (
        pl.when(~is_cheaper)
        .then(NO_PROJECT)
        .when((pl.col("split_number") > 1) & (pl.col("step_type") == TARGETED_REVIEW))
        .then(TARGETED_REVIEWS)
        .when(moved_up & (pl.col("service_type") == DIRECT_PAYMENT))
        .then(DIRECT_PAYMENTS)
        .when(moved_up & (pl.col("element_ref") % 3 == 0))
        .then(ALTERNATIVE_SETTINGS)
        .otherwise(NO_PROJECT)
    )
    return (
        agreed.sort("person", "start", "element_ref", "split_number")
        .with_columns(project.cast(pl.Int64).alias("project"))
        .drop("step_type", "held")
        .sort("element_ref", "split_number")
    )
