"""Invented income of adult social care, kind by kind: from people, health, accounts and self-funders."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.charges import ANNUAL_FEE_PENCE, agreement_ref, invent_agreements, invent_breaks
from ingestion.synth.direct_payment_accounts import account_ref, invent_accounts, recoupment_ref
from ingestion.synth.lives import Lives
from ingestion.synth.payments import contributions
from ingestion.synth.periods import Month, as_date
from ingestion.synth.pricing import WHOLE
from ingestion.synth.provider_payments import (
    DAYS_A_WEEK,
    PAYMENT,
    cost_centre_code,
    financial_year,
    month_end,
    month_label,
    payment_lines,
    period_number,
)
from ingestion.synth.splits import NURSING, REABLEMENT

FUNDED_NURSING_WEEKLY_PENCE = 15_505
# The longest stay in hospital here, after which the same support goes on.
MOST_DAYS_BETWEEN_SUPPORT = 36
SUBJECTIVES = {
    "client_contribution": "920180",
    "continuing_health_care": "920190",
    "funded_nursing_care": "920210",
    "direct_payment_recoupment": "920230",
    "brokerage_fee": "920240",
    "carers_break": "920250",
}
JOURNALS = {
    "client_contribution": "DC",
    "continuing_health_care": "HC",
    "funded_nursing_care": "FN",
    "direct_payment_recoupment": "DR",
    "brokerage_fee": "BF",
    "carers_break": "CB",
}
LINE = {
    "income_kind": pl.String,
    "income_ref": pl.String,
    "person": pl.Int64,
    "element_ref": pl.Int64,
    "account_ref": pl.String,
    "first": pl.Int64,
    "last": pl.Int64,
    "charged": pl.Int64,
    "run": pl.Int64,
    "cost_centre": pl.Int64,
}
# Health pays in full and late; of what people are charged, some is still owed long after.
HEALTH_PAYS_AFTER_DAYS, PEOPLE_PAY_AFTER_DAYS, NEVER_PAID_PERCENT = 45, 28, 4


def income_lines(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the charges raised by a night; one row is one, with the columns `LINE`: money is pence, income positive."""
    for lines in payment_lines(lives, night):
        yield _as_lines(_continuing_health_care(lines))
        yield _as_lines(_funded_nursing(lines))
    assessed = _assessed_support(lives)
    for month in lives.months:
        if month.last <= night:
            yield _as_lines(_contributions(assessed, month).filter(pl.col("run") <= night))
    for lines in (_recoupments(lives, night), _brokerage(lives, night), _breaks(lives, night)):
        cost_centre = pl.Series("cost_centre", lives.people.cost_centre[lines["person"].to_numpy()])
        yield _as_lines(lines.with_columns(cost_centre))


def income_rows(lives: Lives, night: int) -> Iterator[pl.DataFrame]:
    """Give the income extract as it stands on a night: what is paid by then has come in."""
    for lines in income_lines(lives, night):
        person, run, element = (lines[name].to_numpy() for name in ("person", "run", "element_ref"))
        key = person * 1_000_000 + run
        refs = lives.duplicates.refs(lives.people, person, run, key, night)
        is_health = pl.col("income_kind").is_in(["continuing_health_care", "funded_nursing_care"])
        is_taken = pl.col("income_kind") == "direct_payment_recoupment"
        days = np.where(fate(lives.seed, "pays", key, 100) < NEVER_PAID_PERCENT, 100_000, PEOPLE_PAY_AFTER_DAYS)
        after = pl.when(is_taken).then(0).when(is_health).then(HEALTH_PAYS_AFTER_DAYS).otherwise(pl.Series(days))
        yield lines.select(
            "income_ref",
            pl.col("income_kind").alias("income_kind_code"),
            pl.Series("person_ref", refs),
            pl.when(pl.Series(element > 0)).then("element_ref").alias("element_ref"),
            "account_ref",
            as_date(pl.col("first")).alias("period_start_date"),
            as_date(pl.col("last")).alias("period_end_date"),
            pl.col("charged").alias("charged_gbp"),
            pl.when(pl.col("run") + after <= night).then("charged").alias("received_gbp"),
            as_date(pl.col("run")).alias("charged_date"),
            financial_year(pl.col("run")).alias("financial_year"),
            period_number(pl.col("run")).alias("period_number"),
            cost_centre_code(pl.col("cost_centre")).alias("cost_centre_code"),
            income_subjective().alias("subjective_code"),
            income_journal().alias("journal_ref"),
        )


def income_subjective() -> pl.Expr:
    """Give the account that income of a kind is booked to."""
    return pl.col("income_kind").replace_strict(SUBJECTIVES, return_dtype=pl.String)


def income_journal() -> pl.Expr:
    """Give the journal that carries a charge."""
    kind = pl.col("income_kind").replace_strict(JOURNALS, return_dtype=pl.String)
    return pl.format("{}{}-{}", kind, month_label(pl.col("run")), cost_centre_code(pl.col("cost_centre")))


def _as_lines(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("charged") != 0).select(pl.col(name).cast(kind) for name, kind in LINE.items())


def _continuing_health_care(lines: pl.DataFrame) -> pl.DataFrame:
    """Health pays its share of what the package was planned to cost, corrections included."""
    shared = lines.filter(pl.col("health_share") > 0)
    # A credit and its new charge in one run are one claim on health.
    claims = shared.group_by("element_ref", "split_number", "month_first", "run", maintain_order=True).agg(
        pl.col("person", "cost_centre", "health_share").first(),
        pl.col("first").min(),
        pl.col("last").max(),
        pl.col("planned").sum(),
    )
    return claims.with_columns(
        income_kind=pl.lit("continuing_health_care"),
        income_ref=pl.format("HC{}-{}-{}-{}", "run", "month_first", "element_ref", "split_number"),
        account_ref=pl.lit(None),
        charged=pl.col("planned") * pl.col("health_share") // WHOLE,
    )


def _funded_nursing(lines: pl.DataFrame) -> pl.DataFrame:
    nursing = lines.filter(pl.col("service_type") == NURSING, pl.col("days") != 0)
    prefix = pl.when(pl.col("payment_type") == PAYMENT).then(pl.lit("FN")).otherwise(pl.lit("FR"))
    return nursing.with_columns(
        income_kind=pl.lit("funded_nursing_care"),
        income_ref=pl.format("{}{}-{}-{}", prefix, "month_first", "element_ref", "split_number"),
        account_ref=pl.lit(None),
        charged=pl.col("days") * FUNDED_NURSING_WEEKLY_PENCE // DAYS_A_WEEK,
    )


def _assessed_support(lives: Lives) -> pl.DataFrame:
    """Give the days on which somebody both has support and was assessed to contribute to it.

    Support goes on over the short gaps of a hospital stay; nobody is charged between two spells of it.
    """
    reached = pl.col("end").cum_max().shift().over("person")
    is_new = (pl.col("start") > reached + MOST_DAYS_BETWEEN_SUPPORT).fill_null(value=True)
    spells = (
        lives.services.filter(pl.col("service_type") != REABLEMENT)
        .sort("person", "start", "element_ref", "split_number")
        .with_columns(spell=is_new.cast(pl.Int64).cum_sum().over("person"))
        .group_by("person", "spell", maintain_order=True)
        .agg(pl.col("start").min(), pl.col("end").max())
    )
    # An assessment holds until the next one, so that no day is charged twice.
    next_from = pl.col("from").shift(-1).over("person")
    assessed = (
        contributions(lives)
        .sort("person", "from")
        .with_columns(pl.min_horizontal("to", next_from - 1).alias("to"))
        .filter(pl.col("weekly_pence") > 0)
    )
    both = assessed.join(spells, on="person", how="inner", maintain_order="left_right").with_columns(
        pl.max_horizontal("from", "start").alias("from"), pl.min_horizontal("to", "end").alias("to")
    )
    cost_centre = pl.Series("cost_centre", lives.people.cost_centre[both["person"].to_numpy()])
    return both.with_columns(cost_centre).filter(pl.col("from") <= pl.col("to"))


def _contributions(assessed: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Charge the assessed contribution by the day while support lasts, once the assessment is done."""
    return (
        assessed.with_columns(
            first=pl.max_horizontal("from", pl.lit(month.first)), last=pl.min_horizontal("to", pl.lit(month.last))
        )
        .filter(pl.col("last") >= pl.col("first"))
        .with_columns(
            income_kind=pl.lit("client_contribution"),
            income_ref=pl.format("DC{}-{}-{}", pl.lit(month.first), "assessment_ref", "spell"),
            element_ref=pl.lit(0),
            account_ref=pl.lit(None),
            charged=(pl.col("last") - pl.col("first") + 1) * pl.col("weekly_pence") // DAYS_A_WEEK,
            run=month_end(pl.max_horizontal("completed", pl.lit(month.last))),
        )
    )


def _recoupments(lives: Lives, night: int) -> pl.DataFrame:
    return invent_accounts(lives, night).recoupments.with_columns(
        income_kind=pl.lit("direct_payment_recoupment"),
        income_ref=recoupment_ref(),
        account_ref=account_ref(pl.col("element_ref")),
        first="day",
        last="day",
        run="day",
        charged="amount",
    )


def _brokerage(lives: Lives, night: int) -> pl.DataFrame:
    """Charge a twelfth of the fee for each month at whose end an agreement is in force."""
    agreements = invent_agreements(lives)
    found = [
        agreements.filter(pl.col("signed") <= month.last, pl.col("ceased") > month.last).with_columns(
            first=pl.lit(month.first), last=pl.lit(month.last), run=pl.lit(month.last)
        )
        for month in lives.months
        if month.last <= night
    ]
    empty = agreements.clear().with_columns(first=pl.lit(0), last=pl.lit(0), run=pl.lit(0))
    return pl.concat([empty, *found], how="vertical_relaxed").with_columns(
        income_kind=pl.lit("brokerage_fee"),
        income_ref=pl.format("BF{}-{}", "run", "number"),
        element_ref=pl.lit(0),
        account_ref=agreement_ref(),
        charged=pl.lit(ANNUAL_FEE_PENCE // 12),
    )


def _breaks(lives: Lives, night: int) -> pl.DataFrame:
    return (
        invent_breaks(lives, night)
        .with_columns(
            income_kind=pl.lit("carers_break"),
            income_ref=pl.format("CB{}", "number"),
            element_ref=pl.lit(0),
            account_ref=pl.lit(None),
            first="start",
            last="end",
            run=month_end(pl.col("end")),
            charged="pence",
        )
        .filter(pl.col("run") <= night)
    )
