"""Invented prices before they reach a package: what was calculated, what providers offered, what was agreed."""

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date
from ingestion.synth.providers import RANGES, provider_ref
from ingestion.synth.splits import HOMECARE, NURSING, RESIDENTIAL, SERVICE_TYPES, SUPPORTED_LIVING

CALCULATED_PERCENT, BOUGHT_BY_OFFER_PERCENT = 35, 50
CALCULATED_BEFORE_DAYS, REQUESTED_BEFORE_DAYS = 21, 12
MOST_OFFERS = 3


def calculation_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the calculated prices extract as it stands on a night: some new placements of younger adults."""
    placed = _first_splits(lives, (NURSING, RESIDENTIAL, SUPPORTED_LIVING))
    element = placed["element_ref"].to_numpy()
    is_younger = ~lives.people.is_older[placed["person"].to_numpy()]
    is_priced = is_younger & (fate(lives.seed, "calculated price", element, 100) < CALCULATED_PERCENT)
    asked = pl.Series(1_010 + fate(lives.seed, "asked", element, 150))
    tool = pl.Series(930 + fate(lives.seed, "tool", element, 100))
    seen = placed.with_columns(
        asked=pl.col("weekly_pence") * asked // 1000,
        calculated=pl.col("weekly_pence") * tool // 1000,
        day=pl.col("start") - CALCULATED_BEFORE_DAYS,
    ).filter(pl.Series(is_priced, dtype=pl.Boolean), pl.col("day") <= night)
    return seen.select(
        pl.format("CFC{}", "element_ref").alias("calculation_ref"),
        "element_ref",
        "split_number",
        as_date(pl.col("day")).alias("calculated_date"),
        pl.col("asked").alias("provider_weekly_gbp"),
        pl.col("calculated").alias("calculated_weekly_gbp"),
        pl.when(pl.col("entered") <= night).then("weekly_pence").alias("agreed_weekly_gbp"),
    )


def offer_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the offers extract as it stands on a night: up to three providers compete, the one of the package wins."""
    bought = _first_splits(lives, (RESIDENTIAL, SUPPORTED_LIVING, HOMECARE))
    element = bought["element_ref"].to_numpy()
    by_offer = fate(lives.seed, "bought by offer", element, 100) < BOUGHT_BY_OFFER_PERCENT
    bought = bought.with_columns(day=pl.col("start") - REQUESTED_BEFORE_DAYS).filter(
        pl.Series(by_offer, dtype=pl.Boolean), pl.col("day") <= night
    )
    return pl.concat([_offers(lives, bought, place, night) for place in range(MOST_OFFERS)]).sort(
        "request_ref", "provider_ref"
    )


def _first_splits(lives: Lives, service_types: tuple[int, ...]) -> pl.DataFrame:
    return lives.services.filter(
        pl.col("service_type").is_in(service_types),
        pl.col("split_number") == 1,
        pl.col("start") >= lives.first_day,
        pl.col("weekly_pence") > 0,
    )


def _offers(lives: Lives, bought: pl.DataFrame, place: int, night: int) -> pl.DataFrame:
    """Give the offers of the package's own provider (place 0), or of one a little further down the list."""
    element, kind, provider = (bought[name].to_numpy() for name in ("element_ref", "service_type", "provider"))
    first = np.array([RANGES.get(name, (0, 1))[0] for name in SERVICE_TYPES])[kind]
    count = np.array([RANGES.get(name, (0, 1))[1] for name in SERVICE_TYPES])[kind]
    offering = first + (provider - first + place) % count
    takes_part = fate(lives.seed, "offers made", element, MOST_OFFERS) >= place
    dearer = pl.Series(1_000 + place * (15 + fate(lives.seed, "dearer offer", element, 60)))
    is_won = pl.lit(value=True) if place == 0 else pl.lit(value=False)
    decided = pl.col("start") <= night
    outcome = pl.when(~decided).then(pl.lit("open")).when(is_won).then(pl.lit("accepted"))
    return (
        bought.with_columns(offering=pl.Series(offering), offered=pl.col("weekly_pence") * dearer // 1000)
        .filter(pl.Series(takes_part, dtype=pl.Boolean))
        .select(
            pl.format("DPS{}", "element_ref").alias("request_ref"),
            provider_ref(pl.col("offering")).alias("provider_ref"),
            pl.when(decided & is_won).then("element_ref").alias("element_ref"),
            as_date(pl.col("day")).alias("requested_date"),
            as_date(pl.col("day")).alias("offered_date"),
            pl.col("offered").alias("offered_weekly_gbp"),
            outcome.otherwise(pl.lit("rejected")).alias("outcome_code"),
            pl.when(decided & is_won).then("weekly_pence").alias("agreed_weekly_gbp"),
        )
    )
