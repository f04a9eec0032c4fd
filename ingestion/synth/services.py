"""Invented services: what people receive, as the splits of service elements."""

import polars as pl

from ingestion.synth.long_term import invent_long_term
from ingestion.synth.periods import Month, as_date
from ingestion.synth.persons import People
from ingestion.synth.reablement import invent_reablement
from ingestion.synth.splits import END_REASONS, SERVICE_TYPES

# One element in this many has no agreed price in the extract, though it is paid for.
UNPRICED_EVERY = 127


def invent_services(people: People, months: list[Month], first_day: int, until_day: int, seed: int) -> pl.DataFrame:
    """Invent every split that begins by `until_day`, those that ended before the first day included."""
    return pl.concat(
        [invent_long_term(people, first_day, until_day, seed), invent_reablement(people, months, seed)]
    ).sort("element_ref", "split_number")


def service_rows(services: pl.DataFrame, people: People, first_day: int, last_day: int) -> pl.DataFrame:
    """Give the service elements extract as it stands on a day: splits in service since the first day."""
    seen = services.filter(pl.col("end") >= first_day, pl.col("start") <= last_day)
    has_ended = pl.col("end") <= last_day
    is_priced = (pl.col("weekly_pence") > 0) & (pl.col("element_ref") % UNPRICED_EVERY != 0)
    return seen.select(
        "element_ref",
        "split_number",
        pl.Series("person_ref", people.refs[seen["person"].to_numpy()]),
        _code(SERVICE_TYPES, "service_type"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(has_ended).then("end")).alias("end_date"),
        pl.when(has_ended).then(_code(END_REASONS, "end_reason")).alias("end_reason_code"),
        pl.when(is_priced).then("weekly_pence").alias("weekly_cost_gbp"),
    )


def _code(codes: tuple[str, ...], column: str) -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(codes)), return_dtype=pl.String).alias(f"{column}_code")
