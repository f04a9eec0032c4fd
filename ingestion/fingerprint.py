"""Fingerprints: 128 bits of each row as sent, so that a row that is known already need not be read again.

Two rows that differ share one with a probability of about 1 in 10^38. A fingerprint is a note about text, not
knowledge: whatever has none, or another one, is compared column by column.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import psycopg
from psycopg import sql

from ingestion.ahead import ahead
from ingestion.contract import Contract

FIRST, SECOND = "fingerprint, first half", "fingerprint, second half"
HALVES = (FIRST, SECOND)
PLACE = "place"
PAGES_A_FETCH = 1024
# Between the places of two rows, so that all is whole numbers of eight bytes.
PADDING = bytes(2)
PARTS = 16
ROWS_A_STEP = 1 << 18
BYTES_A_ROW = 24

Numbers = np.ndarray[Any, np.dtype[np.uint64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
NONE: Numbers = np.empty((0, 3), np.uint64)


class Fingerprinter:
    """Takes fingerprints under one contract: they differ once the contract, the key or the hash itself does."""

    def __init__(self, contract: Contract, pseudonym_key: str) -> None:
        """Derive the seeds from whatever decides what a text becomes."""
        self._headers = [column.header for column in contract.stored]
        # Polars keeps its hash stable within a version only.
        meaning = f"{pl.__version__}\0{hashlib.sha256(pseudonym_key.encode()).hexdigest()}\0".encode()
        seeds = hashlib.sha256(meaning + contract.file.read_bytes()).digest()
        self._seeds = [int.from_bytes(seeds[start : start + 8]) for start in (0, 8)]

    def of(self, block: pl.DataFrame) -> pl.DataFrame:
        """Give the two halves of each row's fingerprint."""
        rows = block.select(self._headers)
        return pl.DataFrame([rows.hash_rows(seed).alias(half) for seed, half in zip(self._seeds, HALVES, strict=True)])


class Known:
    """The fingerprints that history holds of one council's rows of one table, and which of them a file met.

    A row of `rows` is the two halves of a fingerprint and where its row lies in its table, as PostgreSQL sends it; they
    stand in the order of the first half. Holds about 29 bytes a row.
    """

    def __init__(self, rows: Numbers = NONE) -> None:
        """Take the rows, in order."""
        self._rows = rows
        self._met: Mask = np.zeros(rows.shape[0], np.bool_)
        self._met_count = 0
        # First halves are spread evenly, so that their leading bits say nearly where each stands.
        bits = max(rows.shape[0].bit_length() - 1, 1)
        self._shift = np.uint64(64 - bits)
        self._starts = np.zeros((1 << bits) + 1, np.int32)
        for start in range(0, rows.shape[0], ROWS_A_STEP):
            buckets = (rows[start : start + ROWS_A_STEP, 0] >> self._shift).astype(np.int64)
            counts = np.bincount(buckets - buckets[0])
            self._starts[buckets[0] + 1 :][: counts.size] += counts.astype(np.int32)
        np.cumsum(self._starts, out=self._starts)

    def __len__(self) -> int:
        """Give how many rows are known."""
        return int(self._rows.shape[0])

    def meet(self, fingerprints: pl.DataFrame) -> tuple[Mask, Mask]:
        """Say of each row of a block whether it is known, and whether it repeats a known row met before."""
        first, second = (fingerprints[half].to_numpy() for half in HALVES)
        if not len(self):
            nothing = np.zeros(first.size, np.bool_)
            return nothing, nothing
        found = self._find(first, second)
        is_known = found >= 0
        known = found[is_known]
        met_before = self._met[known]
        self._met[known] = True
        is_repeat = np.zeros(first.size, np.bool_)
        is_repeat[is_known] = met_before
        met_count = int(np.count_nonzero(self._met))
        if met_count - self._met_count < known.size - np.count_nonzero(met_before):
            _, first_of_each = np.unique(known, return_index=True)
            is_repeat[np.delete(np.flatnonzero(is_known), first_of_each)] = True
        self._met_count = met_count
        return is_known, is_repeat

    def _find(self, first: Numbers, second: Numbers) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Give where each fingerprint stands, or -1."""
        bucket = (first >> self._shift).astype(np.int64)
        found = np.full(first.size, -1, np.int64)
        sought = np.arange(first.size)
        stands = self._starts.take(bucket).astype(np.int64)
        ends = self._starts.take(bucket + 1)
        while sought.size:
            candidates = self._rows.take(stands, axis=0, mode="clip")
            is_it = (candidates[:, 0] == first.take(sought)) & (candidates[:, 1] == second.take(sought))
            found[sought] = np.where(is_it, stands, -1)
            stands += 1
            left = np.flatnonzero(~is_it & (stands < ends))
            sought, stands, ends = sought.take(left), stands.take(left), ends.take(left)
        return found

    def of_met(self, packed: bytes) -> pl.DataFrame:
        """Give those of some fingerprints, 16 bytes each, whose known rows the file has met."""
        pairs = np.unique(np.frombuffer(packed, "<u8").reshape(-1, 2), axis=0)
        found = self._find(pairs[:, 0], pairs[:, 1])
        is_met = found >= 0
        is_met[is_met] = self._met[found[is_met]]
        return pl.DataFrame(pairs[is_met], schema=dict.fromkeys(HALVES, pl.UInt64), orient="row")

    def unmet(self) -> pl.DataFrame:
        """Give fingerprint and place of the known rows that no row of the file has."""
        unmet = self._rows[~self._met]
        return pl.DataFrame(unmet, schema=dict.fromkeys((*HALVES, PLACE), pl.UInt64), orient="row")


def fetch_known(
    loader: psycopg.Connection[Any], contract: Contract, council: str, *, closed_too: bool = False
) -> Known:
    """Read the fingerprints of one council's open versions, or of all; a version without one is given one by chance."""
    statement = sql.SQL(
        """
        select string_agg(uuid_send(coalesce(fingerprint, gen_random_uuid())) || tidsend(ctid), %s)
        from {history}
        where
            ctid >= %s::tid and ctid < %s::tid
            and council_code = %s and ({all} or known_to is null)
        """
    ).format(history=sql.Identifier("history", contract.history_table), all=sql.Literal(closed_too))
    (pages,) = loader.execute(
        "select pg_relation_size(%s::regclass) / current_setting('block_size')::integer",
        [f"history.{contract.history_table}"],
    ).fetchone() or (0,)

    def fetched() -> Iterator[bytes]:
        # So many pages at a time, so that the answer is never held whole.
        for page in range(0, pages, PAGES_A_FETCH):
            places = [f"({page},0)", f"({page + PAGES_A_FETCH},0)"]
            row = loader.execute(statement, [PADDING, *places, council], binary=True).fetchone()
            yield (row[0] if row else None) or b""

    # Buffers that grow in place and are given back one by one, so that no second copy of all is ever held.
    parts = [bytearray() for _ in range(PARTS)]
    for packed in ahead(fetched()):
        rows = np.frombuffer(packed + PADDING if packed else b"", "<u8").reshape(-1, 3)
        part = (rows[:, 0] >> np.uint64(64 - PARTS.bit_length() + 1)).astype(np.uint8)
        ends = np.bincount(part, minlength=PARTS).cumsum()
        for number, piece in enumerate(np.split(rows[np.argsort(part, kind="stable")], ends[:-1])):
            parts[number] += piece.data
    known = np.empty((sum(map(len, parts)) // BYTES_A_ROW, 3), np.uint64)
    start = 0
    while parts:
        rows = np.frombuffer(parts.pop(0), "<u8").reshape(-1, 3)
        stop = start + rows.shape[0]
        known[start:stop] = rows[np.argsort(rows[:, 0])]
        start = stop
    return Known(known)
