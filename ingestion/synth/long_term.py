"""Invented long-term support: stays, price changes, moves both ways, services inside services."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, choose, choose_by_row, happens, stream, vary
from ingestion.synth.persons import People
from ingestion.synth.splits import (
    CHANGED,
    COMPLETED,
    DAY_CARE,
    DIED,
    HOMECARE,
    HOSPITAL,
    MOVED,
    RESIDENTIAL,
    SHAPE,
    USUAL_WEEKLY_PENCE,
    WITHDRAWN,
    splits,
)

FIRST_ELEMENT_REF = 3_000_000
ENTRY_YEARS_EITHER_SIDE = 5
DAYS_TO_ADULTHOOD = 6_575

# Percentages, in the order of SETTINGS, for people of 18 to 64 and of 65 and over.
FIRST_SETTING = np.array([[3, 24, 30, 4, 3, 15, 21], [12, 24, 3, 1, 6, 44, 10]])

# Where people of each setting move to, in percent; rows and columns in the order of SETTINGS.
YOUNGER_MOVES = [
    [0, 60, 30, 0, 10, 0, 0],
    [10, 0, 60, 15, 5, 5, 5],
    [0, 22, 0, 12, 6, 35, 25],
    [0, 10, 45, 0, 5, 20, 20],
    [0, 20, 40, 0, 0, 30, 10],
    [0, 15, 40, 5, 0, 0, 40],
    [0, 12, 38, 5, 0, 45, 0],
]
OLDER_MOVES = [
    [0, 70, 0, 0, 12, 18, 0],
    [78, 0, 2, 0, 8, 12, 0],
    [10, 45, 0, 5, 20, 20, 0],
    [10, 50, 20, 0, 10, 10, 0],
    [25, 55, 0, 0, 0, 20, 0],
    [22, 50, 0, 0, 16, 0, 12],
    [15, 45, 0, 0, 10, 30, 0],
]
MOVES = np.array([*YOUNGER_MOVES, *OLDER_MOVES])

# What ends a split, and the percentage it ends in the two age groups; the last two end the support for good.
FATES = np.array([CHANGED, MOVED, HOSPITAL, COMPLETED, WITHDRAWN])
FATE_SHARES = np.array([[69, 20, 2, 2, 7], [77, 11, 3, 2, 7]])


def invent_long_term(people: People, first_day: int, until_day: int, seed: int) -> pl.DataFrame:
    """Invent the long-term splits that begin by `until_day`.

    All people take one step at a time together: each step draws for everybody from a stream of its own,
    so a later `until_day` adds splits and changes none.
    """
    rng = stream(seed, "long-term entry")
    count, group = people.count, people.age_group
    reach = int(ENTRY_YEARS_EITHER_SIDE * 365.25)
    start = np.maximum(first_day + rng.integers(-reach, reach, count), people.birth + DAYS_TO_ADULTHOOD)
    setting = choose_by_row(rng, FIRST_SETTING, group)
    pence = vary(rng, USUAL_WEEKLY_PENCE[group, setting], 600, 1400)
    goes_on = happens(rng, 620, count) & (start < people.death)
    element = FIRST_ELEMENT_REF + np.arange(count, dtype=np.int64)
    split = np.ones(count, dtype=np.int64)
    everybody = np.arange(count, dtype=np.int64)
    found = [pl.DataFrame(schema=SHAPE)]
    step = 0
    while (due := goes_on & (start <= until_day)).any():
        rng = stream(seed, "long-term step", step)
        end = start + rng.integers(60, 480, count)
        reason = FATES[choose_by_row(rng, FATE_SHARES, group)]
        has_died = end >= people.death
        # Now and then a service is closed only weeks after a death.
        closed_late = happens(rng, 30, count) * rng.integers(1, 29, count)
        end = np.where(has_died, people.death + closed_late, end)
        reason[has_died] = DIED
        stay = {
            "element_ref": element,
            "split_number": split,
            "person": everybody,
            "service_type": setting,
            "start": start,
            "end": end,
            "end_reason": reason,
            "weekly_pence": pence,
        }
        found += [splits(stay, due), _inside(rng, people, stay, step, due)]

        moves = reason == MOVED
        setting = np.where(moves, choose_by_row(rng, MOVES, group * 7 + setting), setting)
        fresh_price = vary(rng, USUAL_WEEKLY_PENCE[group, setting], 600, 1400)
        pence = np.where(moves, fresh_price, vary(rng, pence, 860, 1120))
        start = end + _days_to_next(rng, reason)
        is_new_element = reason != CHANGED
        step += 1
        element = np.where(is_new_element, FIRST_ELEMENT_REF + 2 * step * count + everybody, element)
        split = np.where(is_new_element, 1, split + 1)
        goes_on &= ((reason == CHANGED) | moves | (reason == HOSPITAL)) & (start < people.death)
    return pl.concat(found)


def _days_to_next(rng: np.random.Generator, reason: Whole) -> Whole:
    # Most splits touch; some overlap because the next was typed in early, some leave a gap of days.
    usual = np.array([1, -4, 6])[choose(rng, [82, 9, 9], reason.size)]
    return np.where(reason == HOSPITAL, rng.integers(8, 36, reason.size), usual)


def _inside(
    rng: np.random.Generator, people: People, stay: dict[str, Whole], step: int, due: np.ndarray
) -> pl.DataFrame:
    # A service that begins and ends inside a longer one: comparing with the row before alone splits the stay.
    count = people.count
    start = stay["start"] + rng.integers(15, 40, count)
    end = start + rng.integers(10, 50, count)
    kind = np.where(stay["service_type"] <= RESIDENTIAL, DAY_CARE, HOMECARE)
    columns = {
        "element_ref": FIRST_ELEMENT_REF + (2 * step + 1) * count + stay["person"],
        "split_number": np.ones(count, dtype=np.int64),
        "person": stay["person"],
        "service_type": kind,
        "start": start,
        "end": end,
        "end_reason": np.full(count, COMPLETED),
        "weekly_pence": vary(rng, USUAL_WEEKLY_PENCE[people.age_group, kind], 300, 900),
    }
    return splits(columns, due & happens(rng, 120, count) & (end < np.minimum(stay["end"], people.death)))
