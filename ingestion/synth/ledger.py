"""Invented ledger lines of the revenue account, in whole pence, and the journals they stand in.

Payments and income are those of the finance extracts, added up by journal, account and provider; around them stand
block contracts, the equipment pool, year-end accruals and their reversals, and closing entries.
"""

from functools import lru_cache, reduce

import numpy as np
import polars as pl

from ingestion.synth.chance import stream, vary
from ingestion.synth.equipment import council_charges
from ingestion.synth.income import income_journal, income_lines, income_subjective
from ingestion.synth.lives import Lives
from ingestion.synth.periods import Month, as_date
from ingestion.synth.persons import COST_CENTRES
from ingestion.synth.provider_payments import (
    PAYMENT,
    SUBJECTIVES,
    cost_centre_code,
    financial_year,
    month_label,
    payment_journal,
    payment_lines,
    period_number,
    subjective_code,
)
from ingestion.synth.providers import provider_ref

POOLED_EQUIPMENT, HOSPITAL_TEAM = "D0850", "D0860"
EQUIPMENT, STAFF, RECHARGES, FUNDED_NURSING = "410030", "110010", "710010", "520215"

PAYMENT_RUN, MANUAL, DEBTORS = "CARE", "MANUAL", "DEBTORS"
BLOCK_MONTHLY_PENCE_PER_PERSON, STAFF_MONTHLY_PENCE_PER_PERSON, RECHARGE_PENCE_PER_PERSON = 900, 350, 650
ACCRUAL_PERCENT = 6
CLOSING_PERIOD, CLOSED_AFTER_DAYS = 13, 20

JOURNAL_TYPES = {
    "PR": "payment_run", "CR": "correction", "AC": "accrual", "RV": "reversal", "CL": "closing", "BK": "manual",
    "EQ": "manual", "ST": "manual", "FN": "income", "DC": "income", "HC": "income", "DR": "income", "BF": "income",
    "CB": "income",
}  # fmt: skip
LINE = {
    "journal_ref": pl.String,
    "posting": pl.Int64,
    "booked": pl.Int64,
    "is_closing": pl.Boolean,
    "cost_centre_code": pl.String,
    "subjective_code": pl.String,
    "amount": pl.Int64,
    "description": pl.String,
    "source_system_code": pl.String,
}


def ledger_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the ledger extract: one row an expenditure or income line posted by a night, in pence.

    The balance sheet side of the journals is not part of the extract, so journals do not net to zero.
    """
    lines = _postings(lives, night)
    is_closing = pl.col("is_closing")
    text = pl.format("{}, {}", "description", financial_year(pl.col("booked")))
    return lines.select(
        "journal_ref",
        pl.int_range(1, pl.len() + 1).over("journal_ref").alias("line_number"),
        as_date(pl.col("posting")).alias("posting_date"),
        financial_year(pl.col("booked")).alias("financial_year"),
        pl.when(is_closing).then(CLOSING_PERIOD).otherwise(period_number(pl.col("booked"))).alias("period_number"),
        "cost_centre_code",
        "subjective_code",
        pl.col("amount").alias("amount_gbp"),
        text.alias("description"),
        "source_system_code",
    )


def journal_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the journals extract: the headers of the journals whose lines the ledger extract holds."""
    kind = pl.col("journal_ref").str.slice(0, 2)
    year_before = pl.format(
        "{}{}-12",
        (pl.col("journal_ref").str.slice(2, 2).cast(pl.Int64) - 1).cast(pl.String).str.zfill(2),
        pl.col("journal_ref").str.slice(2, 2),
    )
    reversed_journal = pl.concat_str(pl.lit("AC"), year_before, pl.col("journal_ref").str.slice(9))
    journals = (
        ledger_rows(lives, night)
        .group_by("journal_ref", maintain_order=True)
        .agg(
            pl.col("posting_date", "financial_year", "period_number", "source_system_code").first(),
            pl.len().cast(pl.Int64).alias("line_count"),
            pl.col("amount_gbp").sum().alias("total_gbp"),
        )
    )
    return journals.with_columns(
        kind.replace_strict(JOURNAL_TYPES, return_dtype=pl.String).alias("journal_type_code"),
        pl.when(kind == "RV").then(reversed_journal).alias("reverses_journal_ref"),
    )


def cost_centre_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the cost centres extract, the same on every night."""
    reasons = ("physical", "sensory", "memory_and_cognition", "learning_disability", "mental_health", "social")
    names = ("Physical support", "Sensory support", "Memory and cognition", "Learning disability", "Mental health",
             "Social support", "Mental health, joint team")  # fmt: skip
    rows: list[tuple[str, str, str | None, str]] = [
        (code, name, reason, "base_budget")
        for code, name, reason in zip(COST_CENTRES, names, (*reasons, "mental_health"), strict=True)
    ]
    rows.append((POOLED_EQUIPMENT, "Equipment loans, pooled", None, "pooled_budget"))
    rows.append((HOSPITAL_TEAM, "Hospital team, Better Care Fund", None, "better_care_fund"))
    columns = ["cost_centre_code", "cost_centre_name", "support_reason_code", "funding_source_code"]
    opened = as_date(pl.lit(min(lives.first_day - 1_461, night)))
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row").with_columns(
        opened.alias("open_from_date"), pl.lit(None, pl.Date).alias("closed_from_date")
    )


# Several extracts of a night read it, and a change feed that of the night before too.
@lru_cache(maxsize=2)
def _postings(lives: Lives, night: int) -> pl.DataFrame:
    paid = _payments(lives, night)
    block = pl.concat([_lines([]), *(_block_contracts(lives, month) for month in lives.months)])
    accrued = _accruals(pl.concat([paid, block]))
    found = [
        paid,
        _income(lives, night),
        block,
        _equipment(lives, night),
        *(_staff(lives, month) for month in lives.months),
        accrued,
        _reversals(accrued),
        *(_closing(lives, month) for month in lives.months if month.period == 12),
    ]
    order = ["posting", "journal_ref", "subjective_code", "description"]
    return pl.concat(found).filter(pl.col("posting") <= night, pl.col("amount") != 0).sort(order)


def _lines(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=LINE, orient="row")


def _added_up(parts: list[pl.DataFrame], *extra: str) -> pl.DataFrame:
    keys = ["journal_ref", "run", "cost_centre", "subjective_code", *extra]
    empty = pl.DataFrame(schema=dict.fromkeys(keys, pl.String) | {"run": pl.Int64, "cost_centre": pl.Int64})
    together = reduce(lambda left, right: pl.concat([left, right], how="diagonal_relaxed"), parts, empty)
    if "amount" not in together.columns:
        together = together.with_columns(amount=pl.lit(0, pl.Int64))
    return together.group_by(keys).agg(pl.col("amount").sum())


def _as_postings(added: pl.DataFrame, description: pl.Expr, source: str) -> pl.DataFrame:
    return added.select(
        "journal_ref",
        pl.col("run").alias("posting"),
        pl.col("run").alias("booked"),
        pl.lit(value=False).alias("is_closing"),
        cost_centre_code(pl.col("cost_centre")).alias("cost_centre_code"),
        "subjective_code",
        "amount",
        description.alias("description"),
        pl.lit(source).alias("source_system_code"),
    )


def _payments(lives: Lives, night: int) -> pl.DataFrame:
    """Add up what was paid: a line a journal, account and provider."""
    parts = [
        lines.group_by(
            payment_journal().alias("journal_ref"),
            "run",
            "cost_centre",
            subjective_code(pl.col("service_type")).alias("subjective_code"),
            pl.coalesce(provider_ref(pl.col("provider")), pl.lit("")).alias("provider"),
            pl.when(pl.col("payment_type") == PAYMENT).then(pl.lit("paid")).otherwise("payment_type").alias("what"),
        ).agg(pl.col("actual").sum().alias("amount"))
        for lines in payment_lines(lives, night)
    ]
    added = _added_up(parts, "provider", "what")
    words = {
        "paid": "Care fees",
        "correction_credit": "Correction, credit",
        "correction_charge": "Correction, new charge",
        "refund": "Refund of days not used",
    }
    whom = (
        pl.when(pl.col("provider") == "")
        .then(pl.lit("direct payments"))
        .otherwise(pl.format("provider {}", "provider"))
    )
    return _as_postings(added, pl.format("{}, {}", pl.col("what").replace_strict(words), whom), PAYMENT_RUN)


def _income(lives: Lives, night: int) -> pl.DataFrame:
    """Add up what was charged, as credits; health's payment for nursing passes through as a debit too."""
    parts = [
        lines.group_by(
            income_journal().alias("journal_ref"),
            "run",
            "cost_centre",
            income_subjective().alias("subjective_code"),
            "income_kind",
        ).agg(-pl.col("charged").sum().alias("amount"))
        for lines in income_lines(lives, night)
    ]
    added = _added_up(parts, "income_kind")
    words = pl.col("income_kind").str.replace_all("_", " ")
    through = added.filter(pl.col("income_kind") == "funded_nursing_care").with_columns(
        amount=-pl.col("amount"), subjective_code=pl.lit(FUNDED_NURSING)
    )
    return pl.concat(
        [
            _as_postings(added, pl.format("Income, {}", words), DEBTORS),
            _as_postings(through, pl.lit("Funded nursing care passed on"), DEBTORS),
        ]
    )


def _label(month: Month) -> str:
    return f"{month.financial_year[2:4]}{month.financial_year[5:]}-{month.period:02d}"


def _block_contracts(lives: Lives, month: Month) -> pl.DataFrame:
    usual = np.full(len(COST_CENTRES), lives.people.count * BLOCK_MONTHLY_PENCE_PER_PERSON)
    amounts = vary(stream(lives.seed, "block contracts", month.serial), usual, 950, 1050)
    account = SUBJECTIVES["residential"]
    return _lines(
        [
            (f"BK{_label(month)}-{code}", month.last, month.last, False, code, account, int(pence),
             "Block contract beds", MANUAL)
            for code, pence in zip(COST_CENTRES, amounts, strict=True)
        ]
    )  # fmt: skip


def _staff(lives: Lives, month: Month) -> pl.DataFrame:
    """Post the cost of posts that the Better Care Fund pays for, on a cost centre of their own."""
    pence = lives.people.count * STAFF_MONTHLY_PENCE_PER_PERSON
    journal = f"ST{_label(month)}-{HOSPITAL_TEAM}"
    return _lines(
        [(journal, month.last, month.last, False, HOSPITAL_TEAM, STAFF, pence, "Posts of the hospital team", MANUAL)]
    )


def _equipment(lives: Lives, night: int) -> pl.DataFrame:
    """Post what the pool charged the council."""
    charges = council_charges(lives, night)
    return (
        _lines([])
        if charges.is_empty()
        else charges.select(
            pl.format("EQ{}-{}", month_label(pl.col("day")), pl.lit(POOLED_EQUIPMENT)).alias("journal_ref"),
            pl.col("day").alias("posting"),
            pl.col("day").alias("booked"),
            pl.lit(value=False).alias("is_closing"),
            pl.lit(POOLED_EQUIPMENT).alias("cost_centre_code"),
            pl.lit(EQUIPMENT).alias("subjective_code"),
            "amount",
            pl.format("Equipment pool, {}", pl.col("charge_type").str.replace_all("_", " ")).alias("description"),
            pl.lit(MANUAL).alias("source_system_code"),
        )
    )


def _accruals(fees: pl.DataFrame) -> pl.DataFrame:
    """Accrue a share of what the last month of each year cost."""
    kind = pl.col("journal_ref").str.slice(0, 2)
    march = fees.filter(kind.is_in(["PR", "BK"]), period_number(pl.col("booked")) == 12)
    return (
        march.group_by("posting", "cost_centre_code", "subjective_code")
        .agg(pl.col("amount").sum())
        .select(
            pl.format("AC{}-{}", month_label(pl.col("posting")), "cost_centre_code").alias("journal_ref"),
            "posting",
            pl.col("posting").alias("booked"),
            pl.lit(value=False).alias("is_closing"),
            "cost_centre_code",
            "subjective_code",
            pl.col("amount") * ACCRUAL_PERCENT // 100,
            pl.lit("Year-end accrual").alias("description"),
            pl.lit(MANUAL).alias("source_system_code"),
        )
    )


def _reversals(accrued: pl.DataFrame) -> pl.DataFrame:
    """Take every accrual back on the first day of the next year."""
    day = pl.col("posting") + 1
    return accrued.with_columns(
        journal_ref=pl.format("RV{}-{}", month_label(day), "cost_centre_code"),
        posting=day,
        booked=day,
        amount=-pl.col("amount"),
        description=pl.lit("Reversal of year-end accrual"),
    )


def _closing(lives: Lives, march: Month) -> pl.DataFrame:
    """Share the department's overheads out once the year is over: booked to it, posted after it."""
    year = f"{march.financial_year[2:4]}{march.financial_year[5:]}-{CLOSING_PERIOD}"
    usual = np.full(len(COST_CENTRES), lives.people.count * RECHARGE_PENCE_PER_PERSON)
    amounts = vary(stream(lives.seed, "recharges", march.serial), usual, 900, 1100)
    return _lines(
        [
            (f"CL{year}-{code}", march.last + CLOSED_AFTER_DAYS, march.last, True, code, RECHARGES, int(pence),
             "Closing recharge of overheads", MANUAL)
            for code, pence in zip(COST_CENTRES, amounts, strict=True)
        ]
    )  # fmt: skip
