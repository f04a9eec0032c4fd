"""Unpaid carers: whom they care for, and what they are given in their own right."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date

FIRST_RELATIONSHIP_REF, SUPPORT_REFS = 70_000_000, 9_000_000_000
REFS_A_MONTH = 1_000_000
CARED_FOR_PERCENT = 16
SUPPORT_A_MONTH_PER_CARER = 0.08
SUPPORT = ("advice", "assessment", "payment", "break")
RELATIONSHIPS = ("parent", "child", "other")


def relationships(lives: Lives) -> pl.DataFrame:
    """Give every carer and the person cared for: one row is one relationship, `carer` and `person` are positions."""
    people, seed = lives.people, lives.seed
    everybody = np.arange(people.count, dtype=np.int64)
    drawn = fate(seed, "is cared for", everybody, 100)
    stranger = (everybody + 1 + fate(seed, "carer", everybody, max(people.count - 1, 1))) % people.count
    carer = np.where(people.partner >= 0, people.partner, stranger)
    is_cared_for = (drawn < CARED_FOR_PERCENT) & (carer != everybody)
    person, carer = everybody[is_cared_for], carer[is_cared_for]
    starts = lives.first_day - 800 + fate(seed, "cares since", person, 2600)
    ends = np.minimum(people.death[person], people.death[carer])
    found = pl.DataFrame(
        {
            "relationship_ref": FIRST_RELATIONSHIP_REF + person,
            "person": person,
            "carer": carer,
            "start": starts,
            "end": ends,
            "relationship_code": np.where(
                people.partner[person] >= 0,
                "partner",
                np.array(RELATIONSHIPS)[fate(seed, "relationship", person, len(RELATIONSHIPS))],
            ),
            "together": np.where(people.partner[person] >= 0, 1, fate(seed, "together", person, 3)),
        }
    )
    return found.filter(pl.col("start") < pl.col("end"))


def carer_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the carers extract as it stands on a night."""
    seen = relationships(lives).filter(pl.col("start") <= night)
    ref, start = seen["relationship_ref"].to_numpy(), seen["start"].to_numpy()
    return seen.select(
        "relationship_ref",
        pl.Series("carer_person_ref", _refs(lives, seen["carer"].to_numpy(), start, ref, night)),
        pl.Series("cared_for_person_ref", _refs(lives, seen["person"].to_numpy(), start, ref, night)),
        "relationship_code",
        pl.when(pl.col("together") < 2).then(pl.col("together") == 1).alias("lives_together"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(pl.col("end") <= night).then("end")).alias("end_date"),
    )


def _refs(lives: Lives, person: Whole, recorded: Whole, key: Whole, night: int) -> Whole:
    return lives.duplicates.refs(lives.people, person, recorded, key, night)


def carer_support_rows(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the carer support extract as it stands on a night, month by month."""
    carers = relationships(lives)
    for month in lives.events:
        rng = stream(lives.seed, "carer support", month.serial)
        count = whole_number(rng, carers.height * SUPPORT_A_MONTH_PER_CARER)
        which = rng.integers(0, max(carers.height, 1), count if carers.height else 0)
        start = rng.integers(month.first, month.last + 1, which.size)
        kind = np.searchsorted([55, 72, 84], rng.integers(0, 100, which.size), side="right")
        chosen = carers[which].select("person", "carer", cares_from="start", cares_until="end")
        ref = SUPPORT_REFS + month.serial % 1000 * REFS_A_MONTH + np.arange(which.size, dtype=np.int64)
        given = chosen.with_columns(
            pl.Series("support_ref", ref),
            pl.Series("start", start),
            pl.Series("kind", kind),
            pl.Series("end", np.where(kind == SUPPORT.index("break"), start + rng.integers(1, 15, which.size), start)),
            pl.Series("pence", np.array([0, 0, 20_000, 45_000])[kind] + 100 * rng.integers(0, 90, which.size)),
        ).filter(
            pl.col("start").is_between("cares_from", "cares_until"), pl.col("start").is_between(lives.first_day, night)
        )
        recorded, keys = given["start"].to_numpy(), given["support_ref"].to_numpy()
        carer, person = given["carer"].to_numpy(), given["person"].to_numpy()
        yield given.select(
            "support_ref",
            pl.Series("carer_person_ref", _refs(lives, carer, recorded, keys, night)),
            pl.when(pl.col("kind") > 0)
            .then(pl.Series(_refs(lives, person, recorded, keys, night)))
            .alias("cared_for_person_ref"),
            pl.col("kind").replace_strict(dict(enumerate(SUPPORT)), return_dtype=pl.String).alias("support_code"),
            as_date(pl.col("start")).alias("start_date"),
            as_date(pl.when(pl.col("end") <= night).then("end")).alias("end_date"),
            pl.when(pl.col("kind") > 1).then("pence").alias("cost_gbp"),
        )
