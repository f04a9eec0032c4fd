"""Invented returns of measures and national outcomes, with the words and dashes that real ones hold."""

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import Month, as_date
from ingestion.synth.programme import year_of

# Name, unit, usual value and reach in hundredths, target as sent, its number, good is, national.
MEASURES = (
    ("People reviewed in the last 12 months", "percent", 7_200, 900, "80%", 8_000, "High", None),
    ("Needs resolved at the first point of contact", "percent", 7_000, 800, "Increase", None, "High", None),
    ("Still at home 91 days after discharge into reablement", "percent", 8_000, 700, "82.0%", 8_200, "High", 8_270),
    ("Carers given advice and information", "carers", 120_000, 40_000, "-", None, "-", None),
    ("Delayed days for each 100,000 people", "rate", 90, 90, "0.7", 70, "Low", 100),
    ("People in placements and apprenticeships", "people", 4_000, 600, "Maintain at same level", None,
     "Maintain at same level", None),
)  # fmt: skip
REPORTED_AFTER_DAYS = 37
OUTCOMES = (("2A", 7_500), ("2B", 1_700), ("1C", 8_900))
AREAS = (
    ("ZX1", "Exampleshire", "Council"),
    ("ZX2", "Invented Borough", "Council"),
    ("ZXR", "Example Region", "Region"),
    ("ZXE", "Examplia", "Nation"),
)
PUBLISHED_IN_MONTH = 10


def return_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the returns as they stand on a night: one for each quarter that is over."""
    rows = []
    quarters = [month for month in lives.months if month.period % 3 == 0]
    for month in quarters:
        reported = month.last + REPORTED_AFTER_DAYS
        if reported > night:
            continue
        name = f"Measures of quarter {month.period // 3}, {month.financial_year}"
        for order, (measure, unit, usual, reach, target, number, good_is, national) in enumerate(MEASURES, start=1):
            latest, previous = (_value(lives, month, order, usual, reach, ago) for ago in (0, 3))
            rows.append(
                (reported, measure, name, order, f"Quarter {month.period // 3}, {month.financial_year}", unit,
                 _text(latest, unit), latest, target, number, good_is, _text(previous, unit), previous,
                 "-" if national is None else _text(national, unit), national)
            )  # fmt: skip
    schema = {
        "day": pl.Int64, "measure_name": pl.String, "report_name": pl.String, "report_order": pl.Int64,
        "period": pl.String, "unit": pl.String, "latest_text": pl.String, "latest_value": pl.Int64,
        "target_text": pl.String, "target_value": pl.Int64, "good_is_text": pl.String, "previous_text": pl.String,
        "previous_value": pl.Int64, "national_text": pl.String, "national_value": pl.Int64,
    }  # fmt: skip
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            as_date(pl.col("day")).alias("report_date"),
            pl.lit("Adult Social Care").alias("owner_department"),
            pl.lit("Living well").alias("priority"),
            pl.lit(None, pl.String).alias("commitment"),
            pl.lit(None, pl.String).alias("note"),
        )
        .drop("day")
    )


def _value(lives: Lives, month: Month, order: int, usual: int, reach: int, months_ago: int) -> int:
    key = np.array([(month.serial - months_ago) * 100 + order])
    value = usual + int(fate(lives.seed, "measure", key, reach)[0])
    # Counts are whole; shares and rates keep one place.
    return value // 100 * 100 if usual >= 10_000 or usual == 4_000 else value // 10 * 10


def _text(hundredths: int, unit: str) -> str:
    if unit in ("percent", "rate"):
        return f"{hundredths // 100}.{hundredths % 100 // 10}{'%' if unit == 'percent' else ''}"
    return str(hundredths // 100)


def outcome_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the national outcomes as they stand on a night: each year's, published in the autumn after it."""
    rows = []
    for month in lives.months:
        if month.number != PUBLISHED_IN_MONTH or month.last > night:
            continue
        year = month.starting_year - 1
        for place, (measure, usual) in enumerate(OUTCOMES):
            for number, (area, name, level) in enumerate(AREAS):
                key = np.array([year * 100 + place * 10 + number])
                outcome = usual + int(fate(lives.seed, "outcome", key, 400)[0])
                rows.append((year_of(year), measure, area, name, level, outcome))
    columns = ["financial_year", "measure_code", "area_code", "area_name", "level_name", "outcome_value"]
    schema = dict.fromkeys(columns, pl.String) | {"outcome_value": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit(None, pl.String).alias("ons_code"),
        pl.lit(None, pl.Int64).alias("numerator_value"),
        pl.lit(None, pl.Int64).alias("denominator_value"),
    )


def cost_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the average weekly costs of a yearly paper as they stand on a night, rounded to pounds as papers are."""
    usual = {"Residential care": 1_380, "Supported living": 666, "Shared Lives": 379}
    rows = [
        (month.last, kind, month.year, "long-term placements for younger adults",
         "net average cost" if kind == "Shared Lives" else None, 100 * (pounds + 9 * (month.year % 10)))
        for month in lives.months
        if month.period == 9 and month.last <= night
        for kind, pounds in usual.items()
    ]  # fmt: skip
    schema = {
        "day": pl.Int64, "accommodation_type": pl.String, "cost_year": pl.Int64, "scope": pl.String,
        "cost_basis": pl.String, "average_weekly_cost_gbp": pl.Int64,
    }  # fmt: skip
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(as_date(pl.col("day")).alias("report_date"))
        .drop("day")
    )
