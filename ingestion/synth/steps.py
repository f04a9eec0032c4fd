"""Invented workflow steps: contacts, assessments, reviews and reablement paperwork, seen as of one day."""

from datetime import date

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole, choose, happens, stream, whole_number
from ingestion.synth.periods import Month, as_date, day_of
from ingestion.synth.persons import People
from ingestion.synth.splits import REABLEMENT

CONTACT, ONLINE_CONTACT, OLD_CONTACT = 2110, 2111, 104
ASSESSMENT, OLD_ASSESSMENT = 2320, 233
FIRST_REVIEW, YEARLY_REVIEW, UNPLANNED_REVIEW, OLD_UNPLANNED_REVIEW = 2410, 2411, 2420, 241
REVIEWS = [FIRST_REVIEW, YEARLY_REVIEW, UNPLANNED_REVIEW, OLD_UNPLANNED_REVIEW]
REABLEMENT_PLAN, EQUIPMENT = 2510, 2910

STEP_TYPES = pl.DataFrame(
    [
        (OLD_CONTACT, "ZZ Contact and Referral", "contact"),
        (OLD_ASSESSMENT, "ZZ Community Care Assessment", "assessment"),
        (OLD_UNPLANNED_REVIEW, "ZZ Reassessment", "unplanned_review"),
        (CONTACT, "Adult Contact", "contact"),
        (ONLINE_CONTACT, "Adult Contact - Online", "contact"),
        (ASSESSMENT, "Care and Support Assessment", "assessment"),
        (FIRST_REVIEW, "Initial Review of Support", "planned_review"),
        (YEARLY_REVIEW, "Annual Review of Support", "planned_review"),
        (UNPLANNED_REVIEW, "Unplanned Review of Support", "unplanned_review"),
        (REABLEMENT_PLAN, "Reablement Plan and Summary", "reablement"),
        (EQUIPMENT, "Equipment Request", "other"),
    ],
    schema={"step_type_ref": pl.Int64, "step_type_name": pl.String, "activity_code": pl.String},
    orient="row",
)

REVIEW_REFS, CONTACT_REFS, ASSESSMENT_REFS = 10_000_000, 1_000_000_000, 2_000_000_000
REABLEMENT_REFS, EQUIPMENT_REFS = 3_000_000_000, 4_000_000_000
REFS_A_MONTH = 1_000_000
REVIEW_HISTORY_DAYS = 366
PROPOSED_DAYS = 14
TEAMS = 12
RETIRED_ON = date(2017, 4, 1)
# Later than any day of a life here: the day of what never happens.
NEVER = 1_000_000

CONTACTS_A_MONTH_PER_PERSON = 0.07
EQUIPMENT_A_MONTH_PER_PERSON = 0.01
# Share of contacts that lead to an assessment; resolving more at first contact lowers it from 2018/19.
ASSESSED_SHARE, LOWER_FROM, LOWER_ASSESSED_SHARE = 0.42, 2018, 0.37


def invent_steps(
    people: People, services: pl.DataFrame, months: list[Month], until_day: int, seed: int
) -> pl.DataFrame:
    """Invent the steps held by `until_day`, each with every day of its life.

    One row is one step about one person; a step that a couple shares is two rows.
    """
    reablement = services.filter(pl.col("service_type") == REABLEMENT)
    found = [_reviews(people, services, until_day, seed)]
    for month in months:
        found += _contacts_and_assessments(people, month, seed)
        found += [_equipment(people, month, seed), _reablement_plans(reablement, month, seed)]
    steps = pl.concat(found)
    partners = pl.Series("partner", people.partner[steps["person"].to_numpy()])
    shared = steps.with_columns(partners).filter("is_shared", pl.col("partner") >= 0)
    steps = pl.concat([steps, shared.with_columns(person="partner").select(steps.columns)])
    deaths = pl.Series("death", people.death[steps["person"].to_numpy()])
    return steps.with_columns(deaths).filter(pl.col("held") <= pl.col("death")).sort("step_ref", "person")


def step_rows(steps: pl.DataFrame, people: People, first_day: int, last_day: int) -> pl.DataFrame:
    """Give the workflow steps extract as it stands on a day, reviews of the year before included."""
    status = (
        pl.when(pl.col("cancelled") <= last_day)
        .then(pl.lit("CANCELLED"))
        .when(pl.col("reopened") <= last_day, pl.col("retyped") > last_day)
        .then(pl.lit("REOPENED"))
        .when(pl.col("typed") <= last_day)
        .then(pl.lit("COMPLETED"))
        .when(pl.col("started") <= last_day)
        .then(pl.lit("STARTED"))
        .when(pl.col("incoming") <= last_day)
        .then(pl.lit("INCOMING"))
        .otherwise(pl.lit("PROPOSED"))
    )
    reaches_back = pl.when(pl.col("step_type").is_in(REVIEWS)).then(REVIEW_HISTORY_DAYS).otherwise(0)
    seen = steps.filter(
        pl.col("held") >= first_day - reaches_back,
        pl.col("proposed") <= last_day,
    )
    typed = pl.when(pl.col("retyped") <= last_day).then("retyped").otherwise("typed")
    was_held = (pl.col("held") <= last_day) & (pl.col("started") <= last_day) & (pl.col("cancelled") == NEVER)
    return seen.select(
        "step_ref",
        pl.Series("person_ref", people.refs[seen["person"].to_numpy()]),
        pl.col("step_type").alias("step_type_ref"),
        status.alias("status_code"),
        _known(pl.col("incoming"), last_day).alias("incoming_date"),
        _known(pl.col("started"), last_day).alias("started_date"),
        _known(typed, last_day).alias("completed_date"),
        _known(pl.col("cancelled"), last_day).alias("cancelled_date"),
        as_date(pl.when(was_held & pl.col("is_dated")).then("held")).alias("business_date"),
        pl.when(pl.col("team") > 0).then(pl.format("T{}", pl.col("team").cast(pl.String).str.zfill(2)))
        .alias("team_ref"),
    )  # fmt: skip


def _known(day: pl.Expr, last_day: int) -> pl.Expr:
    return as_date(pl.when(day <= last_day).then(day))


def _reviews(people: People, services: pl.DataFrame, until_day: int, seed: int) -> pl.DataFrame:
    """Review everybody with long-term support some weeks after it begins and then about once a year."""
    first, last = _long_term_spans(people, services)
    rng = stream(seed, "first review")
    held = first + rng.integers(35, 71, people.count)
    last = np.minimum(last, until_day)
    everybody = np.arange(people.count, dtype=np.int64)
    found = []
    turn = 0
    while turn == 0 or (held <= last).any():
        rng = stream(seed, "review", turn)
        is_unplanned = happens(rng, 220, people.count)
        later = np.where(is_unplanned, UNPLANNED_REVIEW, YEARLY_REVIEW)
        later[is_unplanned & _uses_old_type(rng, held)] = OLD_UNPLANNED_REVIEW
        step_type = np.full(people.count, FIRST_REVIEW) if turn == 0 else later
        ref = REVIEW_REFS + turn * people.count + everybody
        found.append(_lives(rng, ref, everybody, step_type, held, notice_days=42).filter(held <= last))
        held = held + _days_to_next_review(rng, people.count)
        turn += 1
    return pl.concat(found)


def _long_term_spans(people: People, services: pl.DataFrame) -> tuple[Whole, Whole]:
    spans = (
        services.filter(pl.col("service_type") != REABLEMENT)
        .group_by("person")
        .agg(pl.col("start").min(), pl.col("end").max())
    )
    first = np.full(people.count, NEVER, dtype=np.int64)
    last = np.zeros(people.count, dtype=np.int64)
    first[spans["person"].to_numpy()] = spans["start"].to_numpy()
    last[spans["person"].to_numpy()] = spans["end"].to_numpy()
    return first, last


def _days_to_next_review(rng: np.random.Generator, count: int) -> Whole:
    # A year is due. Most come near it, some early because something changed, many late.
    earliest, latest = np.array([(120, 300), (300, 400), (400, 750)])[choose(rng, [18, 44, 38], count)].T
    return np.asarray(rng.integers(earliest, latest), dtype=np.int64)


def _contacts_and_assessments(people: People, month: Month, seed: int) -> list[pl.DataFrame]:
    rng = stream(seed, "contacts", month.serial)
    person, held, number = _anybody(rng, people, month, CONTACTS_A_MONTH_PER_PERSON)
    step_type = np.where(happens(rng, 200, person.size), ONLINE_CONTACT, CONTACT)
    step_type[_uses_old_type(rng, held)] = OLD_CONTACT
    contacts = _lives(rng, CONTACT_REFS + number, person, step_type, held, notice_days=0)

    share = LOWER_ASSESSED_SHARE if month.starting_year >= LOWER_FROM else ASSESSED_SHARE
    assessed = np.sort(rng.permutation(person.size)[: round(share * person.size)])
    person, number = person[assessed], number[assessed]
    held = held[assessed] + rng.integers(5, 46, assessed.size)
    step_type = np.where(_uses_old_type(rng, held), OLD_ASSESSMENT, ASSESSMENT)
    return [contacts, _lives(rng, ASSESSMENT_REFS + number, person, step_type, held, notice_days=21)]


def _equipment(people: People, month: Month, seed: int) -> pl.DataFrame:
    rng = stream(seed, "equipment", month.serial)
    person, held, number = _anybody(rng, people, month, EQUIPMENT_A_MONTH_PER_PERSON)
    step_type = np.full(person.size, EQUIPMENT)
    return _lives(rng, EQUIPMENT_REFS + number, person, step_type, held, notice_days=14)


def _reablement_plans(reablement: pl.DataFrame, month: Month, seed: int) -> pl.DataFrame:
    rng = stream(seed, "reablement plans", month.serial)
    begun = reablement.filter(pl.col("start").is_between(month.first, month.last), pl.col("split_number") == 1)
    person, held = begun["person"].to_numpy(), begun["start"].to_numpy()
    number = month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
    step_type = np.full(person.size, REABLEMENT_PLAN)
    return _lives(rng, REABLEMENT_REFS + number, person, step_type, held, notice_days=5)


def _anybody(
    rng: np.random.Generator, people: People, month: Month, a_month_per_person: float
) -> tuple[Whole, Whole, Whole]:
    person = people.some(rng, whole_number(rng, people.count * a_month_per_person), month.first)
    held = rng.integers(month.first, month.last + 1, person.size)
    number = month.serial % 1000 * REFS_A_MONTH + np.arange(person.size, dtype=np.int64)
    return person, held, number


def _uses_old_type(rng: np.random.Generator, held: Whole) -> Flag:
    return happens(rng, 250, held.size) & (held < day_of(RETIRED_ON))


def _lives(
    rng: np.random.Generator, ref: Whole, person: Whole, step_type: Whole, held: Whole, *, notice_days: int
) -> pl.DataFrame:
    """Give steps their days, in order: incoming, started, held, typed in; or cancelled; or done twice."""
    count = ref.size
    incoming = held - rng.integers(0, notice_days + 1, count)
    started = incoming + (held - incoming) * rng.integers(0, 101, count) // 100
    # Typing in lags: soon for some, weeks for others.
    soonest, latest = np.array([(0, 3), (3, 15), (15, 61)])[choose(rng, [45, 35, 20], count)].T
    typed = held + rng.integers(soonest, latest)
    fate = choose(rng, [94, 4, 2], count)
    is_cancelled, is_reopened = fate == 1, fate == 2
    cancelled = np.where(is_cancelled, incoming + rng.integers(1, 40, count), NEVER)
    reopened = np.where(is_reopened, typed + rng.integers(2, 60, count), NEVER)
    stays_open = happens(rng, 250, count)
    retyped = np.where(is_reopened & ~stays_open, reopened + rng.integers(3, 60, count), NEVER)
    return pl.DataFrame(
        {
            "step_ref": ref,
            "person": person,
            "step_type": step_type,
            # What comes without notice was never proposed.
            "proposed": incoming - (PROPOSED_DAYS if notice_days > PROPOSED_DAYS else 0),
            "incoming": incoming,
            "started": np.where(started < cancelled, started, NEVER),
            "held": held,
            "typed": np.where(is_cancelled, NEVER, typed),
            "cancelled": cancelled,
            "reopened": reopened,
            "retyped": retyped,
            "is_dated": ~happens(rng, 60, count),
            "is_shared": happens(rng, 600, count),
            "team": np.where(happens(rng, 20, count), 0, rng.integers(1, TEAMS + 1, count)),
        }
    )
