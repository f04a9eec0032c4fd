"""Invented workflow steps: contacts, assessments, reviews and reablement paperwork, as they stand on a night."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole, happens, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import Month, as_date, day_of
from ingestion.synth.persons import People
from ingestion.synth.reviews import RETIRED_ON
from ingestion.synth.splits import REABLEMENT
from ingestion.synth.step_lives import live
from ingestion.synth.step_types import (
    ASSESSMENT,
    CONTACT,
    EQUIPMENT,
    OLD_ASSESSMENT,
    OLD_CONTACT,
    ONLINE_CONTACT,
    REABLEMENT_PLAN,
    REVIEWS,
)
from ingestion.synth.subgroups import subgroup_of
from ingestion.synth.teams import worker_of

CONTACT_REFS, ASSESSMENT_REFS, REABLEMENT_REFS, EQUIPMENT_REFS = (number * 1_000_000_000 for number in (1, 2, 3, 4))
REFS_A_MONTH = 1_000_000
REVIEW_HISTORY_DAYS = 366

CONTACTS_A_MONTH_PER_PERSON = 0.07
EQUIPMENT_A_MONTH_PER_PERSON = 0.01
# Share of contacts that lead to an assessment; resolving more at first contact lowers it from 2018/19.
ASSESSED_SHARE, LOWER_FROM, LOWER_ASSESSED_SHARE = 0.42, 2018, 0.37


def invent_steps(lives: Lives) -> Iterator[pl.DataFrame]:
    """Invent the steps held by the last day, part by part, so that no more than a part is in memory."""
    reablement = lives.services.filter(pl.col("service_type") == REABLEMENT)
    yield lives.reviews
    for month in lives.events:
        contacts, assessments = contacts_and_assessments(lives, month)
        parts = [contacts, assessments, _equipment(lives, month), _reablement_plans(lives, reablement, month)]
        yield pl.concat(parts).sort("step_ref")


def seen_steps(steps: pl.DataFrame, first_day: int, night: int) -> pl.DataFrame:
    """Keep the steps that are in extracts of a night: none from before the first day but a year's reviews."""
    reaches_back = pl.when(pl.col("step_type").is_in(REVIEWS)).then(REVIEW_HISTORY_DAYS).otherwise(0)
    return steps.filter(pl.col("held") >= first_day - reaches_back, pl.col("proposed") <= night)


def step_rows(steps: pl.DataFrame, lives: Lives, night: int) -> pl.DataFrame:
    """Give the workflow steps extract as it stands on a night."""
    status = (
        pl.when(pl.col("cancelled") <= night)
        .then(pl.lit("CANCELLED"))
        .when(pl.col("reopened") <= night, pl.col("retyped") > night)
        .then(pl.lit("REOPENED"))
        .when(pl.col("typed") <= night)
        .then(pl.lit("COMPLETED"))
        .when(pl.col("started") <= night)
        .then(pl.lit("STARTED"))
        .when(pl.col("incoming") <= night)
        .then(pl.lit("INCOMING"))
        .otherwise(pl.lit("PROPOSED"))
    )
    seen = seen_steps(steps, lives.first_day, night)
    typed = pl.when(pl.col("retyped") <= night).then("retyped").otherwise("typed")
    has_worker = (pl.col("started") <= night) & (pl.col("team") > 0)
    return seen.select(
        "step_ref",
        pl.Series("subgroup_ref", subgroup_of(lives, seen)),
        pl.col("step_type").alias("step_type_ref"),
        status.alias("status_code"),
        _known(pl.col("incoming"), night).alias("incoming_date"),
        _known(pl.col("started"), night).alias("started_date"),
        _known(typed, night).alias("completed_date"),
        _known(pl.col("cancelled"), night).alias("cancelled_date"),
        pl.when(has_worker).then(pl.Series(worker_of(lives, seen))).alias("worker_ref"),
        pl.when(pl.col("team") > 0).then(pl.format("T{}", pl.col("team").cast(pl.String).str.zfill(2)))
        .alias("team_ref"),
    )  # fmt: skip


def _known(day: pl.Expr, night: int) -> pl.Expr:
    return as_date(pl.when(day <= night).then(day))


def contacts_and_assessments(lives: Lives, month: Month) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Invent the contacts of a month, and the assessments that some of them lead to.

    An assessment has the number of its contact, in the range of assessments.
    """
    rng = stream(lives.seed, "contacts", month.serial)
    person, held, number = _anybody(rng, lives.people, month, CONTACTS_A_MONTH_PER_PERSON)
    step_type = np.where(happens(rng, 200, person.size), ONLINE_CONTACT, CONTACT)
    step_type[_uses_old_type(rng, held)] = OLD_CONTACT
    contacts = live(rng, lives.people, CONTACT_REFS + number, person, step_type, held, notice_days=0)

    share = LOWER_ASSESSED_SHARE if month.starting_year >= LOWER_FROM else ASSESSED_SHARE
    assessed = np.sort(rng.permutation(person.size)[: round(share * person.size)])
    person, number = person[assessed], number[assessed]
    held = held[assessed] + rng.integers(5, 46, assessed.size)
    step_type = np.where(_uses_old_type(rng, held), OLD_ASSESSMENT, ASSESSMENT)
    return contacts, live(rng, lives.people, ASSESSMENT_REFS + number, person, step_type, held, notice_days=21)


def _equipment(lives: Lives, month: Month) -> pl.DataFrame:
    rng = stream(lives.seed, "equipment", month.serial)
    person, held, number = _anybody(rng, lives.people, month, EQUIPMENT_A_MONTH_PER_PERSON)
    step_type = np.full(person.size, EQUIPMENT)
    return live(rng, lives.people, EQUIPMENT_REFS + number, person, step_type, held, notice_days=14)


def _reablement_plans(lives: Lives, reablement: pl.DataFrame, month: Month) -> pl.DataFrame:
    rng = stream(lives.seed, "reablement plans", month.serial)
    begun = reablement.filter(pl.col("start").is_between(month.first, month.last), pl.col("split_number") == 1)
    person, held = begun["person"].to_numpy(), begun["start"].to_numpy()
    number = month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
    step_type = np.full(person.size, REABLEMENT_PLAN)
    return live(rng, lives.people, REABLEMENT_REFS + number, person, step_type, held, notice_days=5)


def _anybody(
    rng: np.random.Generator, people: People, month: Month, a_month_per_person: float
) -> tuple[Whole, Whole, Whole]:
    person = people.some(rng, whole_number(rng, people.count * a_month_per_person), month.first)
    held = rng.integers(month.first, month.last + 1, person.size)
    number = month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
    return person, held, number


def _uses_old_type(rng: np.random.Generator, held: Whole) -> Flag:
    return happens(rng, 250, held.size) & (held < day_of(RETIRED_ON))
