"""The extract of service elements, as it stands on a night."""

import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date
from ingestion.synth.pricing import WHOLE, WRONG_PRICE_PENCE
from ingestion.synth.providers import provider_ref
from ingestion.synth.splits import END_REASONS, PROJECTS, SERVICE_TYPES, UNITS

# One element in this many has no agreed price in the extract, though it is paid for.
UNPRICED_EVERY = 127


def service_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the service elements extract as it stands on a night: splits in service since the first day.

    A split appears once it is typed in, ends once that is typed in, and shows a wrong price until that is
    put right.
    """
    seen = lives.services.filter(pl.col("end") >= lives.first_day, pl.col("entered") <= night)
    has_ended = pl.col("end_entered") <= night
    is_priced = (pl.col("weekly_pence") > 0) & (pl.col("element_ref") % UNPRICED_EVERY != 0)
    wrong = pl.when(pl.col("corrected") > night).then(WRONG_PRICE_PENCE).otherwise(0)
    person, entered, element = (seen[name].to_numpy() for name in ("person", "entered", "element_ref"))
    refs = lives.duplicates.refs(lives.people, person, entered, element, night)
    council = WHOLE - pl.col("health_share") - pl.col("better_care_fund_share")
    # Not every change has its step noted.
    is_noted = pl.Series(fate(lives.seed, "step noted", element, 10) > 0, dtype=pl.Boolean)
    return seen.select(
        "element_ref",
        "split_number",
        pl.Series("person_ref", refs),
        _code(SERVICE_TYPES, "service_type").alias("service_type_code"),
        provider_ref(pl.col("provider")).alias("provider_ref"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(has_ended).then("end")).alias("end_date"),
        pl.when(has_ended).then(_code(END_REASONS, "end_reason")).alias("end_reason_code"),
        _code(UNITS, "unit").alias("unit_code"),
        pl.when(is_priced).then("units").alias("units"),
        pl.when("is_four_weekly").then(pl.lit("four_weekly")).otherwise(pl.lit("weekly")).alias("frequency_code"),
        pl.when(is_priced).then(pl.col("unit_pence") + wrong).alias("unit_cost_gbp"),
        pl.when(is_priced).then(pl.col("weekly_pence") + wrong).alias("weekly_cost_gbp"),
        council.alias("council_share_percent"),
        pl.col("health_share").alias("health_share_percent"),
        pl.col("better_care_fund_share").alias("better_care_fund_share_percent"),
        pl.when(pl.col("carers") > 0).then("carers").alias("carers_per_visit"),
        pl.when(is_noted).then("step_ref").alias("step_ref"),
        _code(PROJECTS, "project").replace("", None).alias("project_ref"),
    )


def _code(codes: tuple[str, ...], column: str) -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(codes)), return_dtype=pl.String)
