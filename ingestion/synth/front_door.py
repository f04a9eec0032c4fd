"""Contacts at the front door with what came of them, and safeguarding enquiries."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import fate, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, Month, as_date
from ingestion.synth.step_types import ONLINE_CONTACT
from ingestion.synth.steps import ASSESSMENT_REFS, CONTACT_REFS, REFS_A_MONTH, contacts_and_assessments

CALL_REFS, ENQUIRY_REFS = 7_000_000_000, 6_500_000_000
CALLS_A_MONTH_PER_PERSON = 0.05
ENQUIRIES_A_MONTH_PER_PERSON = 0.002
OUTCOMES = ("resolved", "advice", "community_resource", "reablement", "safeguarding", "existing_support",
            "no_further_action")  # fmt: skip
# Of a hundred contacts that lead to no assessment, where each outcome ends.
OUTCOME_SHARES = [30, 58, 70, 76, 80, 94]
ACHIEVED = ("fully_achieved", "partly_achieved", "not_achieved")


def contact_rows(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the contacts extract as it stands on a night, month by month: calls, and contacts that became steps."""
    for month in lives.events:
        contacts, assessments = contacts_and_assessments(lives, month)
        assessed = (assessments["step_ref"] - ASSESSMENT_REFS + CONTACT_REFS).implode()
        steps = contacts.filter(pl.col("cancelled") == NEVER).select(
            contact_ref="step_ref",
            person="person",
            day="held",
            known="incoming",
            closed="typed",
            is_online=pl.col("step_type") == ONLINE_CONTACT,
            is_assessed=pl.col("step_ref").is_in(assessed),
            step_ref="step_ref",
        )
        rows = pl.concat([steps, _calls(lives, month)]).filter(pl.col("day").is_between(lives.first_day, night))
        yield _as_rows(lives, rows, night)


def _calls(lives: Lives, month: Month) -> pl.DataFrame:
    """Contacts that ended before anybody made a step of them."""
    rng = stream(lives.seed, "calls", month.serial)
    person = lives.people.some(rng, whole_number(rng, lives.people.count * CALLS_A_MONTH_PER_PERSON), month.first)
    day = rng.integers(month.first, month.last + 1, person.size)
    ref = CALL_REFS + month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
    return pl.DataFrame(
        {
            "contact_ref": ref,
            "person": person,
            "day": day,
            "known": day,
            "closed": day,
            "is_online": np.zeros(person.size, dtype=np.bool_),
            "is_assessed": np.zeros(person.size, dtype=np.bool_),
        }
    ).with_columns(pl.lit(None, pl.Int64).alias("step_ref"))


def _as_rows(lives: Lives, rows: pl.DataFrame, night: int) -> pl.DataFrame:
    ref, person, day = (rows[name].to_numpy() for name in ("contact_ref", "person", "day"))
    seed = lives.seed
    drawn, channel = fate(seed, "contact outcome", ref, 100), fate(seed, "channel", ref, 100)
    is_closed = pl.col("closed") <= night
    outcome = np.array(OUTCOMES)[np.searchsorted(OUTCOME_SHARES, drawn, side="right")]
    by_telephone = (channel < 70) & ~rows["is_online"].to_numpy()
    channels = np.where(by_telephone, "telephone", np.where(channel < 85, "email", "professional"))
    is_named = pl.col("step_ref").is_not_null() | pl.Series(fate(seed, "is named", ref, 100) < 45)
    refs = lives.duplicates.refs(lives.people, person, day, ref, night)
    asked = pl.Series(fate(seed, "means asked", ref, 100) < 80)
    resolved = pl.col("outcome_code").is_in(["resolved", "advice", "community_resource"])
    return rows.with_columns(
        pl.when(is_closed)
        .then(pl.when("is_assessed").then(pl.lit("assessment")).otherwise(pl.Series(outcome)))
        .alias("outcome_code"),
    ).select(
        "contact_ref",
        pl.when(is_named).then(pl.Series(refs)).alias("person_ref"),
        as_date(pl.col("day")).alias("contact_date"),
        pl.when("is_online").then(pl.lit("online")).otherwise(pl.Series(channels)).alias("channel_code"),
        "outcome_code",
        pl.when(pl.Series(by_telephone) & is_closed).then(resolved & pl.Series(drawn % 5 > 0))
        .alias("is_resolved_in_call"),
        pl.Series("is_carer", fate(seed, "is carer", ref, 100) < 9),
        pl.when(asked).then(pl.Series(fate(seed, "self-funder", ref, 100) < 14)).alias("is_self_funder"),
        "step_ref",
        pl.when(pl.Series(channel % 2 == 0)).then(pl.lit("T01")).otherwise(pl.lit("T02")).alias("team_ref"),
    )  # fmt: skip


def enquiry_rows(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the safeguarding enquiries extract as it stands on a night, month by month."""
    for month in lives.events:
        rng = stream(lives.seed, "enquiries", month.serial)
        count = whole_number(rng, lives.people.count * ENQUIRIES_A_MONTH_PER_PERSON)
        person = lives.people.some(rng, count, month.first, 2)
        raised = rng.integers(month.first, month.last + 1, person.size)
        ref = ENQUIRY_REFS + month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
        start = raised + rng.integers(0, 6, person.size)
        end = start + rng.integers(7, 120, person.size)
        listed = pl.DataFrame({"enquiry_ref": ref, "person": person, "raised": raised, "start": start, "end": end})
        seen = listed.filter(
            pl.col("raised") >= lives.first_day,
            pl.col("start") <= night,
            pl.Series(start <= lives.people.death[person]),
        )
        keys, who, since = (seen[name].to_numpy() for name in ("enquiry_ref", "person", "start"))
        has_ended = pl.col("end") <= night
        asked = pl.Series(fate(lives.seed, "outcomes asked", keys, 100) < 82)
        said = pl.Series(fate(lives.seed, "outcomes said", keys, 100) < 88)
        met = np.searchsorted([68, 93], fate(lives.seed, "outcomes met", keys, 100), side="right")
        yield seen.select(
            "enquiry_ref",
            pl.Series("person_ref", lives.duplicates.refs(lives.people, who, since, keys, night)),
            as_date(pl.col("raised")).alias("concern_date"),
            as_date(pl.col("start")).alias("start_date"),
            as_date(pl.when(has_ended).then("end")).alias("end_date"),
            pl.when(has_ended).then(asked).alias("was_asked"),
            pl.when(has_ended & asked & said).then(pl.Series(np.array(ACHIEVED)[met])).alias("outcome_code"),
        )
