"""What every reader gives, whatever the file is: blocks of text rows, and where each row stood."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from ingestion.contract import Contract
from ingestion.refusal import FileRefused
from ingestion.server import Server

LINE = "source_line"
MOST_COLUMNS = 1_000
# Rows that are set aside are kept until the end; beyond this the whole file is wrong.
MOST_MALFORMED = 10_000
MOST_MALFORMED_CHARACTERS = 32_000_000


@dataclass(frozen=True)
class ControlRecord:
    """What a file's last record says the file holds."""

    row_count: int
    total: Decimal


class Extract(ABC):
    """One file whose header has been checked against the contract, its rows not yet.

    `control_record`, `malformed` and `content_sha256` are known once all blocks were read. `may_hold_nul`: a NUL may
    stand in the blocks given so far. `padded`: headers of columns of free text in which a value given so far may begin
    or end in a space.
    """

    def __init__(self, path: Path, contract: Contract, server: Server) -> None:
        """Say which file is read as what; the reader then fills in the rest."""
        self.path = path
        self.contract = contract
        self.server = server
        self.headers: list[str] = []
        self.extra_headers: tuple[str, ...] = ()
        self.control_record: ControlRecord | None = None
        self.may_hold_nul = True
        self.padded = {column.header for column in contract.columns}

    @abstractmethod
    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the rows block by block: a text column for each header of the contract, and `source_line`.

        Blank values are empty strings. Rows in which nothing is filled in are passed over; rows with a wrong number
        of fields are set aside in `malformed`.

        Raises:
            FileRefused: the file is not what its contract declares, or cannot be divided into rows for certain.
        """

    @abstractmethod
    def malformed(self) -> list[tuple[int, str]]:
        """Give line and text of each row that was set aside."""

    @abstractmethod
    def content_sha256(self) -> str:
        """Give the hash of every byte of the file as it lies on disk, taken while its rows were read."""


def check_headers(name: str, headers: list[str], contract: Contract) -> tuple[str, ...]:
    """Hold a header against the contract; give the headers that the contract does not know.

    Raises:
        FileRefused: a column is missing, repeated, or there are too many. Only the contract's own headers are named:
            a file without a header begins with somebody's row.
    """
    expected = [column.header for column in contract.columns]
    if len(headers) > MOST_COLUMNS:
        raise FileRefused(
            "too_many_columns",
            f"{name}: the header has {len(headers):,} columns; no extract has more than {MOST_COLUMNS:,}.",
        )
    missing = [header for header in expected if header not in headers]
    if len(missing) == len(expected):
        raise FileRefused(
            "missing_column",
            f"{name}: none of the columns of contract {contract.name} {contract.version} is in the header; does the "
            f"file begin with one? It must hold {', '.join(expected)}.",
        )
    repeated = {header for header in headers if headers.count(header) > 1}
    if repeated:
        known = [header for header in expected if header in repeated]
        words = f"repeats {', '.join(known)}" if known else "repeats a column that the contract does not know"
        raise FileRefused("repeated_header", f"{name}: the header {words}.")
    if missing:
        raise FileRefused(
            "missing_column",
            f"{name}: the header lacks {', '.join(missing)}, which contract {contract.name} "
            f"{contract.version} requires.",
        )
    return tuple(header for header in headers if header not in expected)
