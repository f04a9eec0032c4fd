"""Invented payments that follow the packages: paid in arrears, at the price and end then known, put right later."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import Month, as_date
from ingestion.synth.persons import COST_CENTRES
from ingestion.synth.pricing import WRONG_PRICE_PENCE
from ingestion.synth.providers import provider_ref
from ingestion.synth.splits import REABLEMENT, SERVICE_TYPES

# Accounts by kind of service. Direct payments are transfer payments; all the others go to third parties.
SUBJECTIVES = {
    "nursing": "520045",
    "residential": "520040",
    "supported_living": "520060",
    "shared_lives": "520080",
    "housing_with_care": "520070",
    "homecare": "520100",
    "direct_payment": "610010",
    "day_care": "520120",
}
PAYMENT, CREDIT, CHARGE, REFUND = "payment", "correction_credit", "correction_charge", "refund"
PREFIXES = {PAYMENT: "PY", CREDIT: "PC", CHARGE: "PN", REFUND: "RF"}

INVOICES_THAT_DIFFER_PER_THOUSAND = 30
INVOICES_CORRECTED_PER_THOUSAND = 6
DAYS_A_WEEK = 7

LINE = (
    "element_ref", "split_number", "person", "service_type", "provider", "cost_centre", "health_share", "month_first",
    "payment_type", "run", "first", "last", "days", "planned", "actual",
)  # fmt: skip


def payment_lines(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the lines about each month of service, later corrections included, that were paid by a night.

    One row is one line, with the columns `LINE`: `run` is the day it was paid, `first` and `last` the days it
    is about, `days` what it adds to or takes from the days paid for; money is pence, days are since 1970. A
    provider of 0 is a direct payment. Over all lines of a split and month that a night knows, `planned` comes
    to days x weekly cost / 7, cut to the penny, at the dates and the price that night knows.
    """
    cost_centre = lives.people.cost_centre[lives.services["person"].to_numpy()]
    paid = lives.services.with_columns(cost_centre=cost_centre).filter(
        pl.col("service_type") != REABLEMENT, pl.col("weekly_pence") > 0
    )
    for month in lives.months:
        if month.last <= night:
            yield _lines(paid, month, lives.seed).filter(pl.col("run") <= night)


def payment_rows(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the provider payments extract as it stands on a night, month of service by month of service."""
    number = pl.format("{}-{}-{}", month_label(pl.col("month_first")), "element_ref", "split_number")
    prefix = pl.col("payment_type").replace_strict(PREFIXES, return_dtype=pl.String)
    payment = pl.concat_str(pl.lit(PREFIXES[PAYMENT]), number)
    for lines in payment_lines(lives, night):
        yield lines.filter(pl.col("provider") > 0).select(
            pl.concat_str(prefix, number).alias("payment_ref"),
            pl.col("payment_type").alias("payment_type_code"),
            pl.when(pl.col("payment_type") != PAYMENT).then(payment).alias("corrects_payment_ref"),
            provider_ref(pl.col("provider")).alias("provider_ref"),
            "element_ref",
            "split_number",
            as_date(pl.col("first")).alias("period_start_date"),
            as_date(pl.col("last")).alias("period_end_date"),
            pl.col("planned").alias("planned_gbp"),
            pl.col("actual").alias("actual_gbp"),
            as_date(pl.col("run")).alias("paid_date"),
            financial_year(pl.col("run")).alias("financial_year"),
            period_number(pl.col("run")).alias("period_number"),
            cost_centre_code(pl.col("cost_centre")).alias("cost_centre_code"),
            subjective_code(pl.col("service_type")).alias("subjective_code"),
            payment_journal().alias("journal_ref"),
        )


def month_end(day: pl.Expr) -> pl.Expr:
    """Give the last day of the month of a day."""
    return as_date(day).dt.month_end().cast(pl.Int32).cast(pl.Int64)


def month_label(day: pl.Expr) -> pl.Expr:
    """Give the financial year and period of a day as journals are numbered by: 1819-07 for October 2018."""
    began = as_date(day).dt.offset_by("-3mo")
    year = began.dt.year()
    return pl.format(
        "{}{}-{}",
        (year % 100).cast(pl.String).str.zfill(2),
        ((year + 1) % 100).cast(pl.String).str.zfill(2),
        began.dt.month().cast(pl.String).str.zfill(2),
    )


def financial_year(day: pl.Expr) -> pl.Expr:
    """Give the financial year of a day, such as 2018/19."""
    year = as_date(day).dt.offset_by("-3mo").dt.year()
    return pl.format("{}/{}", year, ((year + 1) % 100).cast(pl.String).str.zfill(2))


def period_number(day: pl.Expr) -> pl.Expr:
    """Give the accounting period of a day: 1 is April (R31)."""
    return as_date(day).dt.offset_by("-3mo").dt.month().cast(pl.Int64)


def cost_centre_code(position: pl.Expr) -> pl.Expr:
    """Turn positions among the cost centres into their codes."""
    return position.replace_strict(dict(enumerate(COST_CENTRES)), return_dtype=pl.String)


def subjective_code(service_type: pl.Expr) -> pl.Expr:
    """Give the account that a service of a type is paid from."""
    accounts = {SERVICE_TYPES.index(kind): account for kind, account in SUBJECTIVES.items()}
    return service_type.replace_strict(accounts, return_dtype=pl.String)


def payment_journal() -> pl.Expr:
    """Give the journal that carries a line: the payment run of its cost centre, or its corrections."""
    kind = pl.when(pl.col("payment_type") == PAYMENT).then(pl.lit("PR")).otherwise(pl.lit("CR"))
    return pl.format("{}{}-{}", kind, month_label(pl.col("run")), cost_centre_code(pl.col("cost_centre")))


def _cost(days: pl.Expr, weekly: pl.Expr) -> pl.Expr:
    return days * weekly // DAYS_A_WEEK


def _lines(splits: pl.DataFrame, month: Month, seed: int) -> pl.DataFrame:
    """Pay a month's days in the first run that knows the split; then follow what turns out to be different."""
    began = pl.max_horizontal("start", pl.lit(month.first))
    true_days = (pl.min_horizontal("end", pl.lit(month.last)) - began + 1).clip(lower_bound=0)
    # A service whose end is not typed in yet is paid for as though it went on.
    may_count = (pl.col("end") >= month.first) | (pl.col("end_entered") > month.last)
    known = (
        splits.filter(pl.col("start") <= month.last, may_count)
        .with_columns(
            month_first=pl.lit(month.first, pl.Int64),
            run=month_end(pl.max_horizontal("entered", pl.lit(month.last))),
            first=began,
            true_days=true_days,
        )
        .with_columns(knows_end=pl.col("end_entered") <= pl.col("run"), is_dear=pl.col("corrected") > pl.col("run"))
        .with_columns(
            days=pl.when("knows_end").then("true_days").otherwise(month.last - pl.col("first") + 1),
            price=pl.col("weekly_pence") + pl.when("is_dear").then(WRONG_PRICE_PENCE).otherwise(0),
            end_run=month_end(pl.col("end_entered")),
            price_run=month_end(pl.col("corrected").clip(lower_bound=0)),
        )
        .filter(pl.col("days") > 0)
        .with_columns(planned=_cost(pl.col("days"), pl.col("price")), last=pl.col("first") + pl.col("days") - 1)
        .with_columns(is_plain=~pl.col("is_dear") & (pl.col("days") == pl.col("true_days")))
    )
    known = known.with_columns(pl.Series("actual", _invoiced(known, month, seed)))
    return pl.concat(
        [
            _as_lines(known, PAYMENT),
            *_wrong_prices(known),
            _overpaid_days(known),
            *_wrong_invoices(known, month, seed),
        ]
    )


def _as_lines(rows: pl.DataFrame, payment_type: str) -> pl.DataFrame:
    return rows.with_columns(payment_type=pl.lit(payment_type)).select(LINE)


def _keys(rows: pl.DataFrame, month: Month) -> Whole:
    split = rows["element_ref"].to_numpy() * 100 + rows["split_number"].to_numpy()
    return np.asarray(split * 100_000 + month.serial, dtype=np.int64)


def _invoiced(known: pl.DataFrame, month: Month, seed: int) -> Whole:
    """A few invoices differ from plan by up to a tenth."""
    keys, planned = _keys(known, month), known["planned"].to_numpy()
    differs = fate(seed, "invoice differs", keys, 1000) < INVOICES_THAT_DIFFER_PER_THOUSAND
    other = planned * (900 + fate(seed, "invoice", keys, 201)) // 1000
    return np.where(differs & known["is_plain"].to_numpy(), other, planned)


def _wrong_prices(known: pl.DataFrame) -> list[pl.DataFrame]:
    """Once a price is put right, take back what was paid at the wrong one and charge the same days anew."""
    is_shortened = pl.col("knows_end") | (pl.col("end_run") <= pl.col("price_run"))
    dear = (
        known.filter("is_dear")
        .with_columns(paid_days=pl.when(is_shortened).then("true_days").otherwise("days"), run="price_run")
        .filter(pl.col("paid_days") > 0)
        .with_columns(days=pl.lit(0, pl.Int64), last=pl.col("first") + pl.col("paid_days") - 1)
    )
    credit, charge = -_cost(pl.col("paid_days"), pl.col("price")), _cost(pl.col("paid_days"), pl.col("weekly_pence"))
    return [
        _as_lines(dear.with_columns(planned=credit, actual=credit), CREDIT),
        _as_lines(dear.with_columns(planned=charge, actual=charge), CHARGE),
    ]


def _overpaid_days(known: pl.DataFrame) -> pl.DataFrame:
    """Once an end is typed in, take back the days paid for after it, at the price the rest then stands at."""
    is_still_dear = pl.col("is_dear") & (pl.col("price_run") >= pl.col("end_run"))
    price = pl.when(is_still_dear).then("price").otherwise("weekly_pence")
    amount = _cost(pl.col("true_days"), price) - _cost(pl.col("days"), price)
    overpaid = known.filter(~pl.col("knows_end"), pl.col("true_days") < pl.col("days"))
    return _as_lines(
        overpaid.with_columns(
            planned=amount,
            actual=amount,
            run=pl.col("end_run"),
            first=pl.col("first") + pl.col("true_days"),
            days=pl.col("true_days") - pl.col("days"),
        ),
        REFUND,
    )


def _wrong_invoices(known: pl.DataFrame, month: Month, seed: int) -> list[pl.DataFrame]:
    """Take a few payments back whole a month later, and charge them anew at a lower price."""
    keys = _keys(known, month)
    is_wrong = fate(seed, "invoice corrected", keys, 1000) < INVOICES_CORRECTED_PER_THOUSAND
    lower = pl.Series("lower", 850 + fate(seed, "corrected invoice", keys, 141))
    wrong = (
        known.with_columns(lower)
        .filter(pl.Series(is_wrong, dtype=pl.Boolean), "is_plain")
        .with_columns(run=month_end(pl.col("run") + 1), days=pl.lit(0, pl.Int64))
    )
    return [
        _as_lines(wrong.with_columns(planned=-pl.col("planned"), actual=-pl.col("actual")), CREDIT),
        _as_lines(wrong.with_columns(actual=pl.col("actual") * pl.col("lower") // 1000), CHARGE),
    ]
