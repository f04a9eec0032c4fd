"""Invented accounts that hold direct payments: what builds up in them, and what is taken back."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate
from ingestion.synth.lives import Lives
from ingestion.synth.payments import direct_payment_packages
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.provider_payments import DAYS_A_WEEK

ACCOUNT_TYPES = ("prepaid_card", "own_bank_account", "managed_account")
# Money above so many weeks' cost is taken back; one week may stay (R40).
SURPLUS_WEEKS = 6
DAYS_TO_CLOSE = 60
# Spending runs from a little above the payment to well below it, in thousandths.
LEAST_UNSPENT, MOST_UNSPENT = -20, 160


@dataclass(frozen=True)
class Accounts:
    """One row of `accounts` is an account; of `balances`, one at a month end; of `recoupments`, a sum taken back."""

    accounts: pl.DataFrame
    balances: pl.DataFrame
    recoupments: pl.DataFrame


# Several extracts of a night read it, and a change feed that of the night before too.
@lru_cache(maxsize=2)
def invent_accounts(lives: Lives, night: int) -> Accounts:
    """Invent what was known of the accounts by a night; money is pence, days are since 1970."""
    packages = direct_payment_packages(lives).filter(pl.col("end") >= lives.first_day, pl.col("weekly_pence") > 0)
    element, start, end, weekly, ended = (
        packages[name].to_numpy() for name in ("element_ref", "start", "end", "weekly_pence", "end_entered")
    )
    closed = np.maximum(end, ended) + DAYS_TO_CLOSE
    by_hand = 1 + fate(lives.seed, "account type", element, 2)
    accounts = packages.with_columns(
        account_type=np.where(packages["card_from"].to_numpy() < NEVER, 0, by_hand), closed=closed
    ).filter(pl.col("entered") <= night)
    balance = np.zeros(element.size, dtype=np.int64)
    balances, recoupments = [], []
    for month in lives.months:
        if month.last > night:
            break
        days = np.clip(np.minimum(end, month.last) - np.maximum(start, month.first) + 1, 0, None)
        unspent = LEAST_UNSPENT + fate(lives.seed, "unspent", element * 100_000 + month.serial, MOST_UNSPENT)
        balance = balance + days * weekly // DAYS_A_WEEK * unspent // 1000
        is_open = (start <= month.last) & (closed >= month.last)
        is_closing = is_open & (np.maximum(end, ended) < month.first)
        taken = np.where(is_closing, balance, np.where(balance > SURPLUS_WEEKS * weekly, balance - weekly, 0))
        taken = np.where(is_open, np.clip(taken, 0, None), 0)
        balance = balance - taken
        columns = {"element_ref": element, "day": np.full(element.size, month.last), "weekly_pence": weekly}
        balances.append(_where(is_open, {**columns, "balance": balance}))
        recoupments.append(_where(taken > 0, {**columns, "amount": taken, "is_closing": is_closing.astype(np.int64)}))
    people = packages.select("element_ref", "person")
    return Accounts(
        accounts,
        _joined(balances, people, ("element_ref", "day", "weekly_pence", "balance")),
        _joined(recoupments, people, ("element_ref", "day", "weekly_pence", "amount", "is_closing")),
    )


def _where(flag: np.ndarray, columns: dict[str, Whole]) -> pl.DataFrame:
    return pl.DataFrame({name: values[flag] for name, values in columns.items()})


def _joined(found: list[pl.DataFrame], people: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    rows = pl.concat([pl.DataFrame(schema=dict.fromkeys(columns, pl.Int64)), *found])
    return rows.join(people, on="element_ref", how="left", maintain_order="left")


def account_ref(element: pl.Expr) -> pl.Expr:
    """Give the number of the account of a direct payment."""
    return pl.format("DPA{}", element)


def recoupment_ref() -> pl.Expr:
    """Give the number of a recoupment: at most one an account and day."""
    return pl.format("DPR{}-{}", "day", "element_ref")


def account_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the direct payment accounts extract as it stands on a night."""
    seen = invent_accounts(lives, night).accounts
    person, entered, element = (seen[name].to_numpy() for name in ("person", "entered", "element_ref"))
    return seen.select(
        account_ref(pl.col("element_ref")).alias("account_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, entered, element, night)),
        "element_ref",
        pl.col("account_type")
        .replace_strict(dict(enumerate(ACCOUNT_TYPES)), return_dtype=pl.String)
        .alias("account_type_code"),
        as_date(pl.col("entered")).alias("opened_date"),
        as_date(pl.when(pl.col("closed") <= night).then("closed")).alias("closed_date"),
    )


def balance_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the balances extract as it stands on a night."""
    return invent_accounts(lives, night).balances.select(
        account_ref(pl.col("element_ref")).alias("account_ref"),
        as_date(pl.col("day")).alias("balance_date"),
        pl.col("balance").alias("balance_gbp"),
        pl.col("weekly_pence").alias("contingency_gbp"),
    )


def recoupment_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the recoupments extract as it stands on a night."""
    return invent_accounts(lives, night).recoupments.select(
        recoupment_ref().alias("recoupment_ref"),
        account_ref(pl.col("element_ref")).alias("account_ref"),
        as_date(pl.col("day")).alias("recouped_date"),
        pl.col("amount").alias("recouped_gbp"),
        pl.when(pl.col("is_closing") == 1)
        .then(pl.lit("account_closed"))
        .otherwise(pl.lit("surplus"))
        .alias("reason_code"),
    )
