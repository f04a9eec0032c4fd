"""Chance that can be repeated: each subject draws from a stream of its own."""

from zlib import crc32

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Flag = npt.NDArray[np.bool_]


def stream(seed: int, *subject: str | int) -> np.random.Generator:
    """Give the random numbers of one subject, independent of what any other subject has drawn."""
    parts = [part if isinstance(part, int) else crc32(part.encode()) for part in subject]
    return np.random.default_rng([seed, *parts])


def happens(rng: np.random.Generator, per_thousand: int, size: int) -> Flag:
    """Draw true with a chance in a thousand, `size` times."""
    return rng.integers(0, 1000, size) < per_thousand


def choose(rng: np.random.Generator, percent: list[int], size: int) -> Whole:
    """Draw positions 0, 1, … by their percentages, which sum to 100."""
    return choose_by_row(rng, np.array([percent]), np.zeros(size, dtype=np.int64))


def choose_by_row(rng: np.random.Generator, percent: Whole, row: Whole) -> Whole:
    """Draw one position for each entry of `row`, by the percentages in that row of the table."""
    reached = np.cumsum(percent, axis=1)[row]
    drawn = rng.integers(0, 100, row.size)
    return np.asarray((drawn[:, None] >= reached).sum(axis=1), dtype=np.int64)


def whole_number(rng: np.random.Generator, expected: float) -> int:
    """Round an expected number up or down, by chance, so that small expectations still come true."""
    return int(expected) + int(rng.random() < expected % 1)


def vary(rng: np.random.Generator, pence: Whole, low: int, high: int) -> Whole:
    """Scale amounts by thousandths between `low` and `high`, the middle likelier than the ends."""
    half = (high - low) // 2
    thousandths = low + rng.integers(0, half + 1, pence.size) + rng.integers(0, half + 1, pence.size)
    return pence * thousandths // 1000


def fate(seed: int, subject: str, key: Whole, upper: int) -> Whole:
    """Draw a number below `upper` for each key, the same whenever and beside whatever it is asked.

    For what belongs to one row alone: unlike a stream it does not depend on how many rows there are.
    """
    mixed = key.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(crc32(f"{seed} {subject}".encode()) * 0x1_0000_0001)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) % np.uint64(upper), dtype=np.int64)
