"""Invented ledger lines of the revenue account, in whole pence: fees, income, corrections, accruals."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ingestion.synth.chance import happens, stream, vary
from ingestion.synth.periods import Month, as_date
from ingestion.synth.persons import COST_CENTRES, People
from ingestion.synth.splits import NURSING, RESIDENTIAL

RESIDENTIAL_FEES, NURSING_FEES = "520040", "520045"
FUNDED_NURSING, FUNDED_NURSING_RECLAIM, CLIENT_CONTRIBUTIONS = "520215", "920210", "920180"

PAYMENT_RUN, MANUAL, DEBTORS = "CARE", "MANUAL", "DEBTORS"
PROVIDERS = 40
FUNDED_NURSING_WEEKLY_PENCE = 15_505
BLOCK_MONTHLY_PENCE_PER_PERSON = 900
CONTRIBUTION_PERCENT = 22
ACCRUAL_PERCENT = 6
CORRECTION_DAY = 20

AMOUNT = {
    "cost_centre": pl.Int64,
    "subjective_code": pl.String,
    "amount_gbp": pl.Int64,
    "description": pl.String,
}


def ledger_lines(services: pl.DataFrame, people: People, months: list[Month], last_day: int, seed: int) -> pl.DataFrame:
    """Give the ledger extract: one row an expenditure or income line posted by `last_day`, in pence.

    The balance sheet side of the journals is not part of the extract, so journals do not net to zero.
    """
    homes = _care_home_splits(services, people)
    found: list[pl.DataFrame] = []
    paid, accrued = pl.DataFrame(schema=AMOUNT), pl.DataFrame(schema=AMOUNT)
    for month in months:
        rng = stream(seed, "ledger", month.serial)
        found.append(_post(month, "RV", month.first, MANUAL, _reversals(accrued)))
        found.append(_post(month, "CR", month.first + CORRECTION_DAY - 1, MANUAL, _corrections(rng, paid)))
        paid = _payments(rng, homes, month)
        block = _block_contracts(rng, people.count)
        accrued = _accruals(paid, block) if month.period == 12 else accrued.clear()
        found.append(_post(month, "PR", month.last, PAYMENT_RUN, paid))
        found.append(_post(month, "BK", month.last, MANUAL, block))
        found.append(_post(month, "FN", month.last, DEBTORS, _funded_nursing(homes, month)))
        found.append(_post(month, "DC", month.last, DEBTORS, _contributions(paid)))
        found.append(_post(month, "AC", month.last, MANUAL, accrued))
    lines = pl.concat(found).filter(pl.col("posting_date") <= last_day)
    number_in_journal = pl.int_range(1, pl.len() + 1).over("journal_ref").alias("line_number")
    return lines.with_columns(as_date(pl.col("posting_date")), number_in_journal)


def _care_home_splits(services: pl.DataFrame, people: People) -> pl.DataFrame:
    homes = services.filter(pl.col("service_type").is_in([NURSING, RESIDENTIAL]))
    cost_centres = pl.Series("cost_centre", people.cost_centre[homes["person"].to_numpy()])
    return homes.with_columns(cost_centres).sort("cost_centre", "element_ref", "split_number")


def _post(month: Month, kind: str, day: int, source: str, amounts: pl.DataFrame) -> pl.DataFrame:
    """Post amounts as one journal a cost centre, dated `day` and booked to the month's period."""
    cost_centre = pl.col("cost_centre").replace_strict(dict(enumerate(COST_CENTRES)), return_dtype=pl.String)
    label = f"{month.financial_year[2:4]}{month.financial_year[5:]}-{month.period:02d}"
    return amounts.filter(pl.col("amount_gbp") != 0).select(
        pl.format(f"{kind}{label}-{{}}", cost_centre).alias("journal_ref"),
        pl.lit(day, dtype=pl.Int64).alias("posting_date"),
        pl.lit(month.financial_year).alias("financial_year"),
        pl.lit(month.period, dtype=pl.Int64).alias("period_number"),
        cost_centre.alias("cost_centre_code"),
        "subjective_code",
        "amount_gbp",
        pl.format(f"{{}}, {month.financial_year} period {month.period}", "description").alias("description"),
        pl.lit(source).alias("source_system_code"),
    )


def _payments(rng: np.random.Generator, homes: pl.DataFrame, month: Month) -> pl.DataFrame:
    # By the day at one seventh of the weekly cost, both end days counted; a few invoices differ from plan.
    open_splits = _open_in(homes, month)
    planned = (open_splits["weekly_pence"] * open_splits["days"] // 7).to_numpy()
    differs = happens(rng, 30, planned.size)
    is_nursing = pl.col("service_type") == NURSING
    return open_splits.select(
        "cost_centre",
        pl.when(is_nursing).then(pl.lit(NURSING_FEES)).otherwise(pl.lit(RESIDENTIAL_FEES)).alias("subjective_code"),
        pl.Series("amount_gbp", np.where(differs, vary(rng, planned, 900, 1100), planned)),
        pl.format("Care home fees, provider {}", pl.col("element_ref") % PROVIDERS + 1).alias("description"),
    )


def _open_in(homes: pl.DataFrame, month: Month) -> pl.DataFrame:
    days = pl.min_horizontal("end", pl.lit(month.last)) - pl.max_horizontal("start", pl.lit(month.first)) + 1
    return homes.with_columns(days=days).filter(pl.col("days") > 0)


def _block_contracts(rng: np.random.Generator, people: int) -> pl.DataFrame:
    usual = np.full(len(COST_CENTRES), people * BLOCK_MONTHLY_PENCE_PER_PERSON)
    return _amounts(range(len(COST_CENTRES)), RESIDENTIAL_FEES, vary(rng, usual, 950, 1050), "Block contract beds")


def _funded_nursing(homes: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Nursing care that health pays for: a debit, and the same amount reclaimed as income."""
    nursing = _open_in(homes, month).filter(pl.col("service_type") == NURSING)
    owed = nursing.group_by("cost_centre", maintain_order=True).agg(
        amount_gbp=pl.col("days").sum() * FUNDED_NURSING_WEEKLY_PENCE // 7
    )
    centres, pence = owed["cost_centre"].to_list(), owed["amount_gbp"].to_numpy()
    return pl.concat(
        [
            _amounts(centres, FUNDED_NURSING, pence, "Funded nursing care"),
            _amounts(centres, FUNDED_NURSING_RECLAIM, -pence, "Funded nursing care reclaimed"),
        ]
    )


def _contributions(paid: pl.DataFrame) -> pl.DataFrame:
    fees = paid.group_by("cost_centre", maintain_order=True).agg(pl.col("amount_gbp").sum())
    pence = fees["amount_gbp"].to_numpy() * CONTRIBUTION_PERCENT // 100
    return _amounts(fees["cost_centre"].to_list(), CLIENT_CONTRIBUTIONS, -pence, "Client contributions")


def _accruals(paid: pl.DataFrame, block: pl.DataFrame) -> pl.DataFrame:
    fees = pl.concat([paid, block]).group_by("cost_centre", "subjective_code", maintain_order=True)
    return fees.agg(amount_gbp=pl.col("amount_gbp").sum() * ACCRUAL_PERCENT // 100).select(
        "cost_centre", "subjective_code", "amount_gbp", pl.lit("Year-end accrual").alias("description")
    )


def _reversals(accrued: pl.DataFrame) -> pl.DataFrame:
    return accrued.with_columns(amount_gbp=-pl.col("amount_gbp"), description=pl.lit("Reversal of year-end accrual"))


def _corrections(rng: np.random.Generator, paid: pl.DataFrame) -> pl.DataFrame:
    """Take back a few of last month's payments whole, and book each anew at a lower price."""
    wrong = paid.filter(pl.Series(happens(rng, 6, paid.height), dtype=pl.Boolean))
    anew = vary(rng, wrong["amount_gbp"].to_numpy(), 850, 990)
    return pl.concat(
        [
            wrong.with_columns(amount_gbp=-pl.col("amount_gbp"), description=pl.lit("Correction, credit")),
            wrong.with_columns(pl.Series("amount_gbp", anew), description=pl.lit("Correction, new charge")),
        ]
    )


def _amounts(centres: Sequence[int], subjective: str, pence: np.ndarray, description: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cost_centre": list(centres),
            "subjective_code": [subjective] * len(centres),
            "amount_gbp": pence,
            "description": [description] * len(centres),
        },
        schema=AMOUNT,
    )
