"""Writes what was planted in an invented council, so that a test can compare it with what was found."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from ingestion.synth.lives import Lives
from ingestion.synth.merges import merges
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.persons import CANARY_ADDRESS, CANARY_FORENAME, CANARY_SURNAME, CANARY_TELEPHONE
from ingestion.synth.placements import moves
from ingestion.synth.planting import Planted
from ingestion.synth.savings import claims, evidence_of
from ingestion.synth.short_term import reablement_episodes
from ingestion.synth.splits import END_REASONS, NO_PROJECT, PROJECTS, SERVICE_TYPES
from ingestion.synth.step_types import STEP_TYPES

FAULTS = {
    "file": pl.String,
    "line": pl.Int64,
    "column": pl.String,
    "kind": pl.String,
    "expected": pl.String,
    "reason_code": pl.String,
}


def write_truth(folder: Path, council: str, lives: Lives, planted: Sequence[Planted]) -> list[Path]:
    """Write one CSV file for each kind of thing planted, to `<folder>/<council>/`.

    Lives reach a little past the last night, so the files hold events after it: compare by date. Days are
    written yyyy-mm-dd, amounts as pounds and pence; `person_ref` is the person's own number, never a
    duplicate's. See docs/how-to/invent-a-council.md for the columns.
    """
    kept = folder / council
    kept.mkdir(parents=True, exist_ok=True)
    faults = pl.DataFrame([asdict(each) for each in planted], schema=FAULTS)
    tables = {
        "faults": faults,
        "merges": _merges(lives),
        "reviews": _reviews(lives),
        "reablement_episodes": _episodes(lives),
        "moves": _moves(lives),
        "credited_changes": _credited_changes(lives),
        "savings_claims": _savings_claims(lives),
        "canary": _canary(lives),
    }
    for name, rows in tables.items():
        rows.write_csv(kept / f"{name}.csv")
    return [kept / f"{name}.csv" for name in tables]


def _person(lives: Lives, rows: pl.DataFrame) -> pl.Series:
    return pl.Series("person_ref", lives.people.refs[rows["person"].to_numpy()])


def _merges(lives: Lives) -> pl.DataFrame:
    found = merges(lives.people, lives.duplicates).sort("from_day", "merged_person_ref")
    return found.select(
        "merged_person_ref",
        "master_person_ref",
        _person(lives, found),
        as_date(pl.col("from_day")).alias("from_date"),
        as_date(pl.when(pl.col("to_day") < NEVER).then("to_day")).alias("undone_date"),
        "is_right",
    )


def _reviews(lives: Lives) -> pl.DataFrame:
    activity = dict(STEP_TYPES.select("step_type_ref", "activity_code").iter_rows())
    found = lives.reviews.filter(pl.col("typed") < NEVER).sort("held", "step_ref")
    return found.select(
        "step_ref",
        _person(lives, found),
        pl.col("step_type").replace_strict(activity, return_dtype=pl.String).alias("activity_code"),
        as_date(pl.col("held")).alias("held_date"),
        as_date(pl.col("typed")).alias("completed_date"),
        as_date(pl.when(pl.col("reopened") < NEVER).then("reopened")).alias("reopened_date"),
        as_date(pl.when(pl.col("retyped") < NEVER).then("retyped")).alias("completed_again_date"),
    )


def _episodes(lives: Lives) -> pl.DataFrame:
    found = reablement_episodes(lives).sort("start", "episode_ref")
    return found.select(
        "episode_ref",
        _person(lives, found),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.col("end")).alias("end_date"),
        pl.col("end_reason").replace_strict(dict(enumerate(END_REASONS)), return_dtype=pl.String)
        .alias("end_reason_code"),
        as_date(pl.col("end_entered")).alias("end_known_date"),
    )  # fmt: skip


def _moves(lives: Lives) -> pl.DataFrame:
    found = moves(lives).sort("move_day", "person")
    return found.select(
        _person(lives, found),
        as_date(pl.col("move_day")).alias("move_date"),
        "from_service_type_code",
        "to_service_type_code",
    )


def _credited_changes(lives: Lives) -> pl.DataFrame:
    in_order = lives.services.sort("person", "start", "element_ref", "split_number")
    found = in_order.with_columns(pl.col("weekly_pence").shift().over("person").alias("before"))
    found = found.filter(pl.col("project") != NO_PROJECT).sort("start", "element_ref", "split_number")
    kind = pl.col("service_type").replace_strict(dict(enumerate(SERVICE_TYPES)), return_dtype=pl.String)
    return found.select(
        "element_ref",
        "split_number",
        _person(lives, found),
        kind.alias("service_type_code"),
        as_date(pl.col("start")).alias("start_date"),
        pl.col("step_ref"),
        pl.col("project").replace_strict(dict(enumerate(PROJECTS)), return_dtype=pl.String).alias("project_ref"),
        (pl.col("before").cast(pl.Decimal(16, 2)) / 100).cast(pl.Decimal(16, 2)).alias("weekly_cost_before_gbp"),
        (pl.col("weekly_pence").cast(pl.Decimal(16, 2)) / 100).cast(pl.Decimal(16, 2)).alias("weekly_cost_after_gbp"),
    )


def _savings_claims(lives: Lives) -> pl.DataFrame:
    found = claims(lives)
    pounds = [
        (pl.col(pence).cast(pl.Decimal(16, 2)) / 100).cast(pl.Decimal(16, 2)).alias(name)
        for pence, name in (
            ("weekly", "weekly_effect_gbp"),
            ("in_year", "in_year_gbp"),
            ("full_year", "full_year_gbp"),
        )
    ]
    return found.select(
        "claim_ref",
        _person(lives, found),
        "project_ref",
        evidence_of().alias("evidence_code"),
        pl.col("savings_kind").alias("savings_kind_code"),
        "element_ref",
        "split_number",
        "installation_ref",
        as_date(pl.col("effective")).alias("effective_date"),
        *pounds,
        as_date(pl.col("claimed")).alias("claimed_date"),
        as_date(pl.col("decided")).alias("decided_date"),
        "is_rejected",
    )


def _canary(lives: Lives) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "what": ["forename", "surname", "telephone", "address", "nhs_number", "postcode", "person_ref"],
            "value": [
                CANARY_FORENAME.partition(" ")[0],
                CANARY_SURNAME,
                CANARY_TELEPHONE,
                CANARY_ADDRESS,
                str(lives.details.nhs_number[0]),
                str(lives.details.postcode[0]),
                str(lives.people.refs[0]),
            ],
        }
    )
