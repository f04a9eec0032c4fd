"""Invented housing-with-care flats, let to the people whose packages say that they live there; what is left is void."""

import heapq

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.splits import SERVICE_TYPES

HOUSING_WITH_CARE = SERVICE_TYPES.index("housing_with_care")
UNITS_A_SCHEME = 24
SCHEMES = ("Larkrise Court", "Millrace Court", "Orchard Gate", "Swallow Mead", "Tanners Yard", "Wharf House")
PARTNERS = ("Fenwick Homes", "Stonebridge Housing", "Tallis Trust")
# A flat is made ready before the next tenancy; a new one opens some days before its first.
READY_AFTER_DAYS, OPENED_BEFORE_DAYS, REPAIR_PERCENT = 7, 28, 15
VOID_WEEKLY_PENCE = 11_500


def _lettings(lives: Lives) -> pl.DataFrame:
    """Let the flats in the order in which people come: the one longest empty, or a new one when none is ready."""
    stays = (
        lives.services.filter(pl.col("service_type") == HOUSING_WITH_CARE)
        .group_by("element_ref")
        .agg(pl.col("start").min(), pl.col("end").max())
        .sort("start", "element_ref")
    )
    ready: list[tuple[int, int]] = []
    units = []
    count = 0
    for start, end in stays.select("start", "end").iter_rows():
        if ready and ready[0][0] <= start:
            _, unit = heapq.heappop(ready)
        else:
            unit, count = count, count + 1
        heapq.heappush(ready, (end + READY_AFTER_DAYS, unit))
        units.append(unit)
    return stays.with_columns(unit=pl.Series(units, dtype=pl.Int64))


def _unit_ref() -> pl.Expr:
    return pl.format("HU{}", pl.col("unit").cast(pl.String).str.zfill(5))


def unit_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the units extract as it stands on a night."""
    opened = pl.col("start").min() - OPENED_BEFORE_DAYS
    units = _lettings(lives).group_by("unit").agg(opened.alias("opened")).filter(pl.col("opened") <= night).sort("unit")
    scheme = pl.col("unit") // UNITS_A_SCHEME
    name, partner = (
        (scheme % len(names)).replace_strict(dict(enumerate(names)), return_dtype=pl.String)
        for names in (SCHEMES, PARTNERS)
    )
    return units.select(
        _unit_ref().alias("unit_ref"),
        pl.format("HS{}", (scheme + 1).cast(pl.String).str.zfill(3)).alias("scheme_ref"),
        pl.format("{} {}", name, scheme // len(SCHEMES) + 1).alias("scheme_name"),
        partner.alias("partner_name"),
        (1 + pl.col("unit") % 2).alias("bedroom_count"),
        as_date(pl.col("opened")).alias("opened_date"),
        pl.lit(None, pl.Date).alias("closed_date"),
    )


def void_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the voids extract as it stands on a night: the days between opening and tenancies, both ends counted."""
    lettings = _lettings(lives).sort("unit", "start")
    before = pl.col("end").shift().over("unit")
    voids = lettings.select(
        "unit",
        first=pl.coalesce(before + 1, pl.col("start") - OPENED_BEFORE_DAYS),
        last=pl.col("start") - 1,
        is_first=before.is_null(),
    )
    # What stands empty after the last tenancy is a void without an end.
    after = (
        lettings.group_by("unit", maintain_order=True)
        .agg(pl.col("end").max())
        .select("unit", first=pl.col("end") + 1, last=pl.lit(NEVER, pl.Int64), is_first=pl.lit(value=False))
    )
    seen = pl.concat([voids, after]).filter(pl.col("first") <= night, pl.col("first") <= pl.col("last"))
    seen = seen.sort("unit", "first")
    key = seen["unit"].to_numpy() * 100_000 + seen["first"].to_numpy()
    is_repair = pl.Series(fate(lives.seed, "repair", key, 100) < REPAIR_PERCENT, dtype=pl.Boolean)
    council_pays = pl.Series(np.asarray(fate(lives.seed, "void charge", key, 100) < 60), dtype=pl.Boolean)
    return seen.select(
        _unit_ref().alias("unit_ref"),
        as_date(pl.col("first")).alias("start_date"),
        as_date(pl.when(pl.col("last") <= night).then("last")).alias("end_date"),
        pl.when("is_first")
        .then(pl.lit("first_let"))
        .when(is_repair)
        .then(pl.lit("repair"))
        .otherwise(pl.lit("between_tenants"))
        .alias("reason_code"),
        pl.when(council_pays).then(pl.lit(VOID_WEEKLY_PENCE, pl.Int64)).alias("weekly_charge_gbp"),
    )
