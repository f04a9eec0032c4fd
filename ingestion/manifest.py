"""The manifest: one row of the audit ledger for each table of each file that was accepted or refused."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingestion.contract import Contract
from ingestion.server import Server


@dataclass(frozen=True)
class Delivery:
    """One table of one file of the landing folder, as a contract expects it."""

    path: Path
    contract: Contract
    server: Server
    council: str
    extract_date: date


@dataclass(frozen=True)
class Standing:
    """How a table stands before a delivery: its latest extract, and the last day on which anything became known."""

    latest_extract: date | None
    latest_known: date | None


def next_batch_id(loader: psycopg.Connection[Any]) -> int:
    """Draw the number of a batch."""
    row = loader.execute("select nextval('audit.batch_batch_id_seq')").fetchone()
    return int(row[0]) if row else 0


def standing(loader: psycopg.Connection[Any], delivery: Delivery) -> Standing:
    """Say what was accepted of the delivery's table so far. What was withdrawn no longer stands, but was known."""
    row = loader.execute(
        """
        select
            max(extract_date) filter (where withdrawn_on is null),
            greatest(max(known_on), max(withdrawn_on))
        from audit.batch
        where council_code = %s and source_name = %s and table_name = %s and state = 'accepted'
        """,
        [delivery.council, delivery.contract.source, delivery.contract.table],
    ).fetchone()
    return Standing(*(row or (None, None)))


def accepted_contents(loader: psycopg.Connection[Any], delivery: Delivery) -> set[str]:
    """Give the hashes of what was accepted of this table for this day; the same bytes for another day are news."""
    found = loader.execute(
        """
        select content_sha256
        from audit.batch
        where
            council_code = %s and source_name = %s and table_name = %s and extract_date = %s
            and state = 'accepted' and withdrawn_on is null
        """,
        [delivery.council, delivery.contract.source, delivery.contract.table, delivery.extract_date],
    )
    return {row[0] for row in found}


def record(loader: psycopg.Connection[Any], delivery: Delivery, sha256: str, **facts: Any) -> None:
    """Write the delivery's row of the manifest. A check there refuses it if a row went missing."""
    row = {
        "council_code": delivery.council,
        "source_name": delivery.contract.source,
        "table_name": delivery.contract.table,
        "contract_version": delivery.contract.version,
        "file_name": delivery.path.name,
        "content_sha256": sha256,
        "size_bytes": delivery.path.stat().st_size,
        "extract_date": delivery.extract_date,
        **facts,
    }
    loader.execute(
        sql.SQL("insert into audit.batch ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
        ),
        row,
    )
