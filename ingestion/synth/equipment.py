"""Invented equipment: loans from a pool shared with health, and assistive technology in people's homes."""

import numpy as np
import polars as pl

from ingestion.synth.chance import fate, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.provider_payments import financial_year, month_end, period_number

LOANS_A_MONTH_PER_PERSON, INSTALLATIONS_A_MONTH_PER_PERSON = 0.012, 0.003
FIRST_LOAN_REF, FIRST_INSTALLATION_REF, REFS_A_MONTH = 800_000, 900_000, 1_000_000
ITEMS = ("WALK01", "COMM02", "BATH03", "BED004", "HOIST5", "RAIL06", "CHAIR7", "PRESS8")
PRICES = np.array([1_850, 4_600, 3_950, 48_000, 92_500, 1_200, 14_900, 31_000])
COUNCIL_PERCENT = 48
DELIVERY_PENCE, RETURN_CREDIT_PERCENT = 2_150, 60
TECHNOLOGY = ("pendant_alarm", "falls_detector", "medication_dispenser", "location_device", "activity_monitoring")


def invent_loans(lives: Lives) -> pl.DataFrame:
    """Invent every loan; one row is one, `collected` is `NEVER` for what stays. Money is pence, days since 1970."""
    found = []
    for month in lives.months:
        rng = stream(lives.seed, "loans", month.serial)
        person = lives.people.some(rng, whole_number(rng, lives.people.count * LOANS_A_MONTH_PER_PERSON), month.last, 4)
        item = rng.integers(0, len(ITEMS), person.size)
        prescribed = rng.integers(month.first, month.last + 1, person.size)
        delivered = prescribed + rng.integers(1, 15, person.size)
        is_collected = rng.integers(0, 100, person.size) < 55
        found.append(
            pl.DataFrame(
                {
                    "number": month.serial % 1000 * REFS_A_MONTH + FIRST_LOAN_REF + np.arange(person.size),
                    "person": person,
                    "item": item,
                    "is_council": rng.integers(0, 100, person.size) < COUNCIL_PERCENT,
                    "prescribed": prescribed,
                    "delivered": delivered,
                    "collected": np.where(is_collected, delivered + rng.integers(20, 500, person.size), NEVER),
                    "pence": PRICES[item],
                }
            )
        )
    return pl.concat(found)


def loan_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the equipment prescriptions extract as it stands on a night."""
    seen = invent_loans(lives).filter(pl.col("prescribed") <= night)
    person, day, number = (seen[name].to_numpy() for name in ("person", "prescribed", "number"))
    return seen.select(
        pl.format("EQ{}", "number").alias("prescription_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, day, number, night)),
        pl.col("item").replace_strict(dict(enumerate(ITEMS)), return_dtype=pl.String).alias("item_code"),
        pl.when("is_council").then(pl.lit("council")).otherwise(pl.lit("health")).alias("prescriber_code"),
        as_date(pl.col("prescribed")).alias("prescribed_date"),
        as_date(pl.when(pl.col("delivered") <= night).then("delivered")).alias("delivered_date"),
        as_date(pl.when(pl.col("collected") <= night).then("collected")).alias("collected_date"),
        pl.col("pence").alias("price_gbp"),
    )


def pool_charges(lives: Lives, night: int) -> pl.DataFrame:
    """Give the pool's charges by month end, kind and partner: what was delivered and came back, by fixed shares."""
    loans = invent_loans(lives)
    delivered = loans.select(day=month_end(pl.col("delivered")), pence="pence")
    returned = loans.filter(pl.col("collected") < NEVER).select(
        day=month_end(pl.col("collected")), pence=-pl.col("pence") * RETURN_CREDIT_PERCENT // 100
    )
    kinds = (
        delivered.with_columns(charge_type=pl.lit("equipment")),
        delivered.with_columns(charge_type=pl.lit("delivery"), pence=pl.lit(DELIVERY_PENCE, pl.Int64)),
        returned.with_columns(charge_type=pl.lit("return_credit")),
    )
    together = pl.concat(kinds).filter(pl.col("day") <= night).group_by("day", "charge_type").agg(pl.col("pence").sum())
    council = pl.col("pence") * COUNCIL_PERCENT // 100
    return pl.concat(
        [
            together.select("day", "charge_type", partner=pl.lit("council"), amount=council),
            together.select("day", "charge_type", partner=pl.lit("health"), amount=pl.col("pence") - council),
        ]
    ).sort("day", "partner", "charge_type")


def council_charges(lives: Lives, night: int) -> pl.DataFrame:
    """Give the council's part of the pool's charges."""
    return pool_charges(lives, night).filter(pl.col("partner") == "council")


def pool_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the pool charges extract as it stands on a night."""
    return pool_charges(lives, night).select(
        pl.format("PC{}-{}-{}", "day", "partner", "charge_type").alias("charge_ref"),
        financial_year(pl.col("day")).alias("financial_year"),
        period_number(pl.col("day")).alias("period_number"),
        pl.col("partner").alias("partner_code"),
        pl.col("charge_type").alias("charge_type_code"),
        pl.col("amount").alias("charge_gbp"),
    )


def invent_installations(lives: Lives) -> pl.DataFrame:
    """Invent the assistive technology; `pence` is the weekly cost it is expected to avoid, 0 where none is claimed."""
    found = []
    for month in lives.months:
        rng = stream(lives.seed, "installations", month.serial)
        expected = whole_number(rng, lives.people.count * INSTALLATIONS_A_MONTH_PER_PERSON)
        person = lives.people.some(rng, expected, month.last, 3)
        referred = rng.integers(month.first, month.last + 1, person.size)
        found.append(
            pl.DataFrame(
                {
                    "number": month.serial % 1000 * REFS_A_MONTH + FIRST_INSTALLATION_REF + np.arange(person.size),
                    "person": person,
                    "kind": rng.integers(0, len(TECHNOLOGY), person.size),
                    "referred": referred,
                    "installed": referred + rng.integers(2, 35, person.size),
                }
            )
        )
    together = pl.concat(found)
    number, death = together["number"].to_numpy(), lives.people.death[together["person"].to_numpy()]
    lasts = 120 + fate(lives.seed, "technology lasts", number, 1_500)
    claims = fate(lives.seed, "technology claims", number, 100) < 70
    pence = np.where(claims, 1_500 + fate(lives.seed, "technology avoids", number, 9_000), 0)
    removed = np.minimum(together["installed"].to_numpy() + lasts, death + 14)
    return together.with_columns(pence=pence, removed=removed).filter(pl.col("removed") > pl.col("installed"))


def installation_ref() -> pl.Expr:
    """Give the number of an installation."""
    return pl.format("AT{}", "number")


def installation_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the assistive technology extract as it stands on a night."""
    seen = invent_installations(lives).filter(pl.col("referred") <= night)
    person, day, number = (seen[name].to_numpy() for name in ("person", "referred", "number"))
    is_installed = pl.col("installed") <= night
    return seen.select(
        installation_ref().alias("installation_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, day, number, night)),
        pl.col("kind").replace_strict(dict(enumerate(TECHNOLOGY)), return_dtype=pl.String).alias("equipment_code"),
        as_date(pl.col("referred")).alias("referred_date"),
        as_date(pl.when(is_installed).then("installed")).alias("installed_date"),
        as_date(pl.when(pl.col("removed") <= night).then("removed")).alias("removed_date"),
        pl.when(is_installed & (pl.col("pence") > 0)).then("pence").alias("avoided_weekly_gbp"),
    )
