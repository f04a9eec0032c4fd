"""Invented things people are charged for outside a package: breaks of their carers, and brokerage of self-funders."""

import numpy as np
import polars as pl

from ingestion.synth.chance import fate, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date

BREAKS_A_MONTH_PER_PERSON = 0.004
BREAKS = ("residential_break", "day_break", "home_break")
BREAK_DAY_PENCE = (9_500, 2_400, 1_800)
FIRST_BREAK_REF, FIRST_AGREEMENT_REF, REFS_A_MONTH = 600_000, 70_000_000, 1_000_000

# Self-funders among all people, in ten thousand, and those of them who sign, in a hundred.
SELF_FUNDERS, WHO_SIGN = 220, 36
ANNUAL_FEE_PENCE = 24_000


def invent_breaks(lives: Lives, night: int) -> pl.DataFrame:
    """Invent the breaks that ended by a night; one row is one, `pence` is 0 where nothing may be charged (R41)."""
    found = [pl.DataFrame(schema=dict.fromkeys(("number", "person", "kind", "start", "end", "pence"), pl.Int64))]
    for month in lives.months:
        rng = stream(lives.seed, "breaks", month.serial)
        expected = whole_number(rng, lives.people.count * BREAKS_A_MONTH_PER_PERSON)
        person = lives.people.some(rng, expected, month.last, 3)
        kind = rng.integers(0, len(BREAKS), person.size)
        start = rng.integers(month.first, month.last + 1, person.size)
        end = np.where(kind == 0, start + rng.integers(2, 14, person.size), start)
        is_assessed = rng.integers(0, 100, person.size) < 88
        found.append(
            pl.DataFrame(
                {
                    "number": month.serial % 1000 * REFS_A_MONTH + FIRST_BREAK_REF + np.arange(person.size),
                    "person": person,
                    "kind": kind,
                    "start": start,
                    "end": np.minimum(end, lives.people.death[person]),
                    "pence": np.where(is_assessed, (end - start + 1) * np.array(BREAK_DAY_PENCE)[kind], 0),
                }
            )
        )
    return pl.concat(found).filter(pl.col("end") <= night, pl.col("end") >= pl.col("start"))


def break_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the carers' breaks extract as it stands on a night."""
    seen = invent_breaks(lives, night)
    return seen.select(
        pl.format("CB{}", "number").alias("break_ref"),
        pl.Series("person_ref", _person_refs(lives, seen, "end", night)),
        pl.col("kind").replace_strict(dict(enumerate(BREAKS)), return_dtype=pl.String).alias("service_code"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.col("end")).alias("end_date"),
        (pl.col("pence") > 0).alias("has_financial_assessment"),
        pl.when(pl.col("pence") > 0).then("pence").alias("charge_gbp"),
    )


def invent_agreements(lives: Lives) -> pl.DataFrame:
    """Invent the self-funders who may be charged for brokerage; those who never sign have `NEVER` as that day."""
    person = np.arange(lives.people.count, dtype=np.int64)
    person = person[fate(lives.seed, "self-funder", person, 10_000) < SELF_FUNDERS]
    eligible = lives.first_day - 300 + fate(lives.seed, "eligible", person, 1_300)
    signs = fate(lives.seed, "signs", person, 100) < WHO_SIGN
    ceases = np.minimum(eligible + 200 + fate(lives.seed, "ceases", person, 1_500), lives.people.death[person])
    signed = np.where(signs, eligible + fate(lives.seed, "signed", person, 90), NEVER)
    return pl.DataFrame(
        {"number": FIRST_AGREEMENT_REF + person, "person": person, "eligible": eligible, "ceased": ceases}
    ).with_columns(signed=np.where(signed < ceases, signed, NEVER))


def agreement_ref() -> pl.Expr:
    """Give the number of a brokerage agreement."""
    return pl.format("BA{}", "number")


def agreement_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the brokerage agreements extract as it stands on a night."""
    seen = invent_agreements(lives).filter(pl.col("eligible") <= night)
    return seen.select(
        agreement_ref().alias("agreement_ref"),
        pl.Series("person_ref", _person_refs(lives, seen, "eligible", night)),
        as_date(pl.col("eligible")).alias("eligible_from_date"),
        as_date(pl.when(pl.col("signed") <= night).then("signed")).alias("signed_date"),
        as_date(pl.when(pl.col("ceased") <= night).then("ceased")).alias("ceased_date"),
        pl.lit(ANNUAL_FEE_PENCE, pl.Int64).alias("annual_fee_gbp"),
    )


def _person_refs(lives: Lives, seen: pl.DataFrame, day: str, night: int) -> np.ndarray:
    person, when, key = (seen[name].to_numpy() for name in ("person", day, "number"))
    return lives.duplicates.refs(lives.people, person, when, key, night)
