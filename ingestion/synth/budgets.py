"""Invented budgets: what the packages open on the first day of a year would cost over it, in two versions."""

from datetime import date

import numpy as np
import polars as pl

from ingestion.synth.chance import stream, vary
from ingestion.synth.income import SUBJECTIVES as INCOME
from ingestion.synth.ledger import EQUIPMENT, HOSPITAL_TEAM, POOLED_EQUIPMENT, STAFF, STAFF_MONTHLY_PENCE_PER_PERSON
from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date, day_of
from ingestion.synth.provider_payments import cost_centre_code, subjective_code
from ingestion.synth.splits import REABLEMENT

WEEKS_A_YEAR, PERIODS = 52, 12
INCOME_PERCENT, LATER_VERSION_PERCENT = 18, 98
EQUIPMENT_PENCE_PER_PERSON = 1_200


def budget_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the budgets extract as it stands on a night: each year's original, and a lower one from September on."""
    years = sorted({month.starting_year for month in lives.months})
    versions = [
        _version(_annual(lives, year), year, number, name, approved)
        for year in years
        for number, name, approved in (
            (1, "Original", date(year, 2, 26)),
            (2, "Revised September", date(year, 9, 30)),
        )
        if day_of(approved) <= night
    ]
    keys = ["financial_year", "version_number", "cost_centre_code", "subjective_code", "period_number"]
    return pl.concat(versions).sort(keys)


def _annual(lives: Lives, year: int) -> pl.DataFrame:
    """Give a year's budget by cost centre and account, in pence."""
    first = day_of(date(year, 4, 1))
    is_open = (pl.col("start") <= first) & (pl.col("end") >= first) & (pl.col("service_type") != REABLEMENT)
    centres = pl.Series("cost_centre", lives.people.cost_centre[lives.services["person"].to_numpy()])
    planned = (
        lives.services.with_columns(centres)
        .filter(is_open)
        .group_by("cost_centre", "service_type")
        .agg(pence=pl.col("weekly_pence").sum() * WEEKS_A_YEAR)
        .sort("cost_centre", "service_type")
    )
    pence = vary(stream(lives.seed, "budget", year), planned["pence"].to_numpy(), 960, 1080)
    care = planned.select(
        cost_centre_code(pl.col("cost_centre")).alias("cost_centre_code"),
        subjective_code(pl.col("service_type")).alias("subjective_code"),
        pl.Series("pence", pence),
    )
    income = care.group_by("cost_centre_code", maintain_order=True).agg(
        pl.lit(INCOME["client_contribution"]).alias("subjective_code"),
        -pl.col("pence").sum() * INCOME_PERCENT // 100,
    )
    people = lives.people.count
    others = pl.DataFrame(
        [
            (POOLED_EQUIPMENT, EQUIPMENT, people * EQUIPMENT_PENCE_PER_PERSON),
            (HOSPITAL_TEAM, STAFF, people * STAFF_MONTHLY_PENCE_PER_PERSON * PERIODS),
        ],
        schema=care.schema,
        orient="row",
    )
    return pl.concat([care, income, others])


def _version(annual: pl.DataFrame, year: int, number: int, name: str, approved: date) -> pl.DataFrame:
    """Spread a year's budget over its periods; the last takes what does not divide."""
    percent = 100 if number == 1 else LATER_VERSION_PERCENT
    whole = annual.with_columns(pence=pl.col("pence") * percent // 100)
    periods = pl.DataFrame({"period_number": np.arange(1, PERIODS + 1, dtype=np.int64)})
    equal = pl.col("pence") // PERIODS
    rest = pl.col("pence") - equal * (PERIODS - 1)
    return whole.join(periods, how="cross").select(
        "cost_centre_code",
        "subjective_code",
        pl.lit(f"{year}/{(year + 1) % 100:02d}").alias("financial_year"),
        "period_number",
        pl.lit(number, pl.Int64).alias("version_number"),
        pl.lit(name).alias("version_name"),
        as_date(pl.lit(day_of(approved))).alias("approved_date"),
        pl.when(pl.col("period_number") == PERIODS).then(rest).otherwise(equal).alias("budget_gbp"),
    )
