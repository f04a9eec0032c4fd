"""What a split costs by unit, who pays, who provides it, and when each fact about it was typed in."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate
from ingestion.synth.periods import NEVER
from ingestion.synth.providers import provider_of
from ingestion.synth.splits import (
    CHANGED,
    DAY,
    DAY_CARE,
    DIRECT_PAYMENT,
    HOMECARE,
    HOUR,
    REABLEMENT,
    SUPPORTED_LIVING,
    WEEK,
)

# Shares and units are hundredths, money is pence, as everywhere here.
WHOLE = 10_000
WRONG_PRICE_PENCE = 1_250


def price(splits: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Cut each weekly cost into units at a price, exactly: units by unit price is the weekly cost to the penny.

    The weekly cost is rounded to what whole units come to, so that every later sum starts from the same
    pence.
    """
    kind, element, number, start, end, reason, weekly = (
        splits[name].to_numpy()
        for name in ("service_type", "element_ref", "split_number", "start", "end", "end_reason", "weekly_pence")
    )
    split = element * 100 + number
    provider = provider_of(kind, element)
    unit, units, unit_pence = _units(kind, element, weekly, provider, seed)
    is_four_weekly = (kind == DIRECT_PAYMENT) & (fate(seed, "four-weekly", element, 10) < 3)
    weekly = np.where(weekly > 0, unit_pence * units // 100, 0)
    entered = start + _lag(seed, "entered", split, soon=80, late=95)
    is_corrected = (unit == WEEK) & ~is_four_weekly & (weekly > 0) & (fate(seed, "corrected", split, 100) < 4)
    end_lag = np.where(reason == CHANGED, 0, _lag(seed, "end entered", split, soon=88, late=97))
    health, better_care_fund = _shares(kind, element, seed)
    return splits.with_columns(
        weekly_pence=weekly,
        entered=entered,
        end_entered=np.maximum(end + end_lag, entered),
        provider=provider,
        unit=unit,
        units=units,
        is_four_weekly=is_four_weekly,
        unit_pence=np.where(is_four_weekly, 4 * unit_pence, unit_pence),
        health_share=health,
        better_care_fund_share=better_care_fund,
        carers=_carers(kind, element, number, seed),
        corrected=np.where(is_corrected, entered + 10 + fate(seed, "days to correct", split, 80), -NEVER),
    )


def _lag(seed: int, subject: str, split: Whole, *, soon: int, late: int) -> Whole:
    """Days until a fact is typed in: none for `soon` in a hundred, up to ten for most others, weeks beyond `late`."""
    drawn = fate(seed, subject, split, 100)
    within = fate(seed, f"{subject}, days", split, 1000)
    return np.where(drawn < soon, 0, np.where(drawn < late, 1 + within % 10, 11 + within % 35))


def _units(kind: Whole, element: Whole, weekly: Whole, provider: Whole, seed: int) -> tuple[Whole, Whole, Whole]:
    hourly = (kind == HOMECARE) | (kind == SUPPORTED_LIVING) | (kind == REABLEMENT)
    # A multiple of four pence, so that quarter hours come to whole pence.
    rate = 1_360 + provider * 4
    quarter_hours = np.maximum(1, (4 * weekly + rate // 2) // rate)
    days = 1 + fate(seed, "days a week", element, 5)
    is_day = kind == DAY_CARE
    unit = np.where(hourly, HOUR, np.where(is_day, DAY, WEEK))
    units = np.where(hourly, 25 * quarter_hours, np.where(is_day, 100 * days, 100))
    return unit, units, np.where(hourly, rate, np.where(is_day, weekly // days, weekly))


def _shares(kind: Whole, element: Whole, seed: int) -> tuple[Whole, Whole]:
    drawn = fate(seed, "funding", element, 100)
    health = np.where(drawn < 4, WHOLE, np.where(drawn < 9, WHOLE // 2, 0))
    fund = np.where((drawn >= 90) & ((kind == HOMECARE) | (kind == REABLEMENT)), WHOLE, 0)
    return health, fund


def _carers(kind: Whole, element: Whole, number: Whole, seed: int) -> Whole:
    """Give the carers at each visit: some need two, and of those some only until equipment or review makes it one."""
    needs_two = fate(seed, "two carers", element, 100) < 18
    until_split = 1 + fate(seed, "two carers until", element, 6)
    carers = np.where(needs_two & (number <= until_split), 2, 1)
    return np.where((kind == HOMECARE) | (kind == REABLEMENT), carers, 0)
