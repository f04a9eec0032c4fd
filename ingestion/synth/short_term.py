"""Short-term episodes in the team's own words, and the hospital discharges that many of them follow."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate, happens, stream, whole_number
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, Month, as_date
from ingestion.synth.reablement import MOST_ROWS
from ingestion.synth.splits import CHANGED, COMPLETED, DIED, END_REASONS, HOSPITAL, REABLEMENT

RAPID_REFS, BED_REFS, DISCHARGE_REFS = 2_000_000_000, 3_000_000_000, 8_000_000_000
REFS_A_MONTH = 1_000_000
SERVICES = ("reablement", "rehabilitation", "home_first_response")
REABLED, IN_BED, RAPID = range(len(SERVICES))
RAPID_A_MONTH_PER_PERSON, IN_BED_A_MONTH_PER_PERSON = 0.0006, 0.0004
FROM_HOSPITAL = 55
HOSPITALS = ("KINGSFORD", "MEREBANK", "STAITHES")
OUTCOMES = ("no_further_support", "lower", "same", "higher")

# One row is one episode as it was lived. `referred` and `discharged` are days; `discharged` is `NEVER` for people from
# the community.
EPISODE = ("episode_ref", "person", "service", "start", "end", "end_reason", "end_entered", "referred", "discharged")


def reablement_episodes(lives: Lives) -> pl.DataFrame:
    """Give the reablement episodes that were planted: one row is one, however many service rows it is cut into."""
    rows = lives.services.filter(pl.col("service_type") == REABLEMENT)
    # Rows of one episode are numbered one after another, from a multiple of the most it may have.
    place = pl.col("element_ref") % REFS_A_MONTH % MOST_ROWS
    episodes = (
        rows.with_columns(episode_ref=pl.col("element_ref") - place)
        .sort("episode_ref", "start")
        .group_by("episode_ref", maintain_order=True)
        .agg(
            pl.col("person").first(),
            pl.col("start").min(),
            pl.col("end").max(),
            pl.col("end_reason").last(),
            pl.col("end_entered").max(),
        )
        # Who died before the row that was to follow left the episode as it was.
        .with_columns(pl.col("end_reason").replace(CHANGED, DIED))
    )
    return _with_origin(lives, episodes.with_columns(service=pl.lit(REABLED, pl.Int64)))


def _with_origin(lives: Lives, episodes: pl.DataFrame) -> pl.DataFrame:
    ref, start = episodes["episode_ref"].to_numpy(), episodes["start"].to_numpy()
    seed, from_hospital = lives.seed, fate(lives.seed, "from hospital", episodes["episode_ref"].to_numpy(), 100)
    discharged = np.where(from_hospital < FROM_HOSPITAL, start - fate(seed, "days home", ref, 3), NEVER)
    referred = np.minimum(start, discharged) - 1 - fate(seed, "days referred", ref, 8)
    return episodes.with_columns(referred=referred, discharged=discharged).select(EPISODE)


def _others(lives: Lives, month: Month) -> Iterator[pl.DataFrame]:
    for service, first_ref, share, longest in (
        (RAPID, RAPID_REFS, RAPID_A_MONTH_PER_PERSON, 7),
        (IN_BED, BED_REFS, IN_BED_A_MONTH_PER_PERSON, 42),
    ):
        rng = stream(lives.seed, SERVICES[service], month.serial)
        person = lives.people.some(rng, whole_number(rng, lives.people.count * share), month.first, 6)
        start = rng.integers(month.first, month.last + 1, person.size)
        end = start + rng.integers(longest // 3, longest, person.size)
        death = lives.people.death[person]
        reason = np.where(end >= death, DIED, np.where(happens(rng, 120, person.size), HOSPITAL, COMPLETED))
        number = first_ref + month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
        lived = {
            "episode_ref": number,
            "person": person,
            "start": start,
            "end": np.minimum(end, death),
            "end_reason": reason,
            "end_entered": np.minimum(end, death) + fate(lives.seed, "closed late", number, 6),
        }
        episodes = pl.DataFrame(lived).filter(pl.Series(start <= death))
        yield _with_origin(lives, episodes.with_columns(service=pl.lit(service, pl.Int64)))


def episodes_of(lives: Lives) -> pl.DataFrame:
    """Give every short-term episode, sorted by number; the columns are `EPISODE`."""
    others = [part for month in lives.events for part in _others(lives, month)]
    return pl.concat([reablement_episodes(lives), *others]).sort("episode_ref")


def episode_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the short-term episodes extract as it stands on a night."""
    seen = episodes_of(lives).filter(pl.col("end") >= lives.first_day, pl.col("start") <= night)
    ref, person, start = (seen[name].to_numpy() for name in ("episode_ref", "person", "start"))
    seed = lives.seed
    has_ended = pl.col("end_entered") <= night
    reason = pl.col("end_reason").replace_strict(dict(enumerate(END_REASONS)), return_dtype=pl.String)
    judged = pl.Series(np.array(OUTCOMES)[np.searchsorted([62, 76, 90], fate(seed, "judged", ref, 100), side="right")])
    outcome = (
        pl.when(pl.col("end_reason") == HOSPITAL)
        .then(pl.lit("hospital"))
        .when(pl.col("end_reason") == DIED)
        .then(pl.lit("died"))
        .otherwise(judged)
    )
    is_judged = pl.Series(fate(seed, "is judged", ref, 100) < 94)
    days = pl.col("end") - pl.col("start") + 1
    planned = 100 * pl.Series(fate(seed, "hours a day", ref, 3) + 1) * days
    given = planned * pl.Series(70 + fate(seed, "hours given", ref, 35)) // 100
    is_hospital = pl.col("discharged") < NEVER
    codes = pl.col("service").replace_strict(dict(enumerate(SERVICES)), return_dtype=pl.String)
    return seen.select(
        "episode_ref",
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, start, ref, night)),
        codes.alias("service_code"),
        pl.when(is_hospital).then(pl.lit("hospital")).otherwise(pl.lit("community")).alias("source_code"),
        as_date(pl.col("referred")).alias("referral_date"),
        as_date(pl.when(is_hospital).then("discharged")).alias("discharge_date"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(has_ended).then("end")).alias("end_date"),
        pl.when(has_ended).then(reason).alias("end_reason_code"),
        pl.when(has_ended & is_judged).then(outcome).alias("outcome_code"),
        planned.alias("planned_hours"),
        pl.when(has_ended).then(given).alias("contact_hours"),
        pl.when(pl.col("service") == RAPID).then(pl.lit("T08")).otherwise(pl.lit("T07")).alias("team_ref"),
    )


def discharge_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the discharge referrals extract as it stands on a night: with reablement, or with something else."""
    into = (
        episodes_of(lives)
        .filter(pl.col("discharged") < NEVER)
        .select("person", "referred", "discharged", "episode_ref")
    )
    others = pl.concat([_other_discharges(lives, month) for month in lives.events])
    all_ = pl.concat([into.with_columns(pl.lit("reablement").alias("outcome")), others])
    seen = all_.filter(pl.col("referred") <= night, pl.col("discharged") >= lives.first_day).sort("episode_ref")
    ref, person, referred = (seen[name].to_numpy() for name in ("episode_ref", "person", "referred"))
    seed = lives.seed
    delayed = np.where(fate(seed, "is delayed", ref, 100) < 7, 1 + fate(seed, "delayed", ref, 9), 0)
    has_left = pl.col("discharged") <= night
    ready = pl.col("discharged") - pl.Series(np.minimum(delayed + fate(seed, "ready", ref, 2), _stay(seen)))
    return seen.select(
        (DISCHARGE_REFS + pl.col("episode_ref")).alias("referral_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, referred, DISCHARGE_REFS + ref, night)),
        pl.Series("hospital_code", np.array(HOSPITALS)[fate(seed, "hospital", ref, len(HOSPITALS))]),
        as_date(pl.col("referred")).alias("referred_date"),
        as_date(pl.when(ready <= night).then(ready)).alias("ready_date"),
        as_date(pl.when(has_left & (pl.col("outcome") != "withdrawn")).then("discharged")).alias("discharge_date"),
        pl.when(has_left & (pl.col("outcome") != "withdrawn")).then(pl.Series(np.minimum(delayed, _stay(seen))))
        .alias("delayed_days"),
        pl.when(has_left).then("outcome").alias("outcome_code"),
        pl.Series("is_automatic", fate(seed, "automatic", ref, 100) < 40),
    )  # fmt: skip


def _stay(seen: pl.DataFrame) -> Whole:
    return np.asarray((seen["discharged"] - seen["referred"]).to_numpy(), dtype=np.int64)


def _other_discharges(lives: Lives, month: Month) -> pl.DataFrame:
    rng = stream(lives.seed, "other discharges", month.serial)
    person = lives.people.some(rng, whole_number(rng, lives.people.count * 0.004), month.first, 5)
    referred = rng.integers(month.first, month.last + 1, person.size)
    kinds = np.array(["no_support", "existing_package", "new_package", "care_home", "withdrawn"])
    outcome = kinds[np.searchsorted([22, 55, 80, 94], rng.integers(0, 100, person.size), side="right")]
    left = referred + rng.integers(1, 15, person.size)
    death = lives.people.death[person]
    return pl.DataFrame(
        {
            "person": person,
            "referred": referred,
            "discharged": np.minimum(left, death),
            "episode_ref": 5_000_000_000 + month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64),
            "outcome": np.where(left >= death, "died", outcome),
        }
    ).filter(pl.Series(referred <= death))
