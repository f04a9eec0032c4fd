"""Takes back the latest delivery of a table: what was known before it is known again, from the day it is withdrawn."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from carehouse import history_lock
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion import history, pseudonyms
from ingestion.contract import Contract, load_contracts
from ingestion.staging import names


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal did: versions that are no longer open, and versions that are open again."""

    table: str
    council: str
    closed: int
    reopened: int


def withdraw(settings: Settings, batch_id: int, by: str, because: str, business_date: date) -> Withdrawn:
    """Withdraw a batch that is the latest accepted of its table and council.

    History keeps both: the versions that the batch brought end on `business_date`, and those that it ended begin
    anew on that day, so that a build as at a day between still shows what was believed then. The same file may be
    delivered again.

    Raises:
        CarehouseError: there is no such batch, it was refused or withdrawn already, a later one stands on it, or no
            reason is given.
    """
    if not by.strip() or not because.strip():
        raise CarehouseError("A withdrawal is recorded for ever: say who withdraws, and why.")
    with connect(settings, Role.LOADER) as loader:
        history_lock.change(loader)
        contract, council = _batch(loader, batch_id)
        pseudonyms.hold(loader)
        loader.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {contract.name}"])
        known_on = _must_be_latest(loader, contract, council, batch_id, business_date)
        parts: dict[str, sql.Composable] = {
            "history": history.table(contract),
            "columns": names(name for name, _ in history.stored_columns(contract)),
        }
        facts = {"batch": batch_id, "day": known_on}
        closed = loader.execute(
            sql.SQL(
                """
                update {history} set known_to = %(day)s, closed_by_batch_id = %(batch)s
                where batch_id = %(batch)s and known_to is null
                """
            ).format(**parts),
            facts,
        ).rowcount
        reopened = loader.execute(
            sql.SQL(
                """
                insert into {history} (batch_id, known_from, source_line, fingerprint, council_code, {columns})
                select batch_id, %(day)s, source_line, fingerprint, council_code, {columns}
                from {history}
                where closed_by_batch_id = %(batch)s and batch_id <> %(batch)s
                """
            ).format(**parts),
            facts,
        ).rowcount
        loader.execute(
            "update quarantine.rejected_row set cleared_by_batch_id = %(batch)s where batch_id = %(batch)s", facts
        )
        loader.execute(
            """
            update quarantine.rejected_row set cleared_by_batch_id = null
            where cleared_by_batch_id = %(batch)s and batch_id <> %(batch)s
            """,
            facts,
        )
        loader.execute(
            """
            update audit.batch
            set withdrawn_on = %(day)s, withdrawn_by = %(by)s, withdrawn_because = %(because)s
            where batch_id = %(batch)s
            """,
            {**facts, "by": by, "because": because},
        )
    return Withdrawn(contract.name, council, closed, reopened)


def _batch(loader: psycopg.Connection[Any], batch_id: int) -> tuple[Contract, str]:
    row = loader.execute(
        "select source_name || '.' || table_name, council_code from audit.batch where batch_id = %s", [batch_id]
    ).fetchone()
    contracts = {contract.name: contract for contract in load_contracts()}
    if row is None or row[0] not in contracts:
        raise CarehouseError(f"There is no batch {batch_id} of a table that has a contract.")
    return contracts[row[0]], row[1]


def _must_be_latest(
    loader: psycopg.Connection[Any], contract: Contract, council: str, batch_id: int, business_date: date
) -> date:
    """Give the day of the withdrawal: never before what was known last."""
    batches = loader.execute(
        """
        select batch_id, state, withdrawn_on, greatest(known_on, withdrawn_on)
        from audit.batch
        where council_code = %s and source_name = %s and table_name = %s
        """,
        [council, contract.source, contract.table],
    ).fetchall()
    standing = [number for number, state, withdrawn_on, _ in batches if state == "accepted" and withdrawn_on is None]
    if batch_id not in standing:
        raise CarehouseError(f"Batch {batch_id} of {contract.name} was refused, or withdrawn already.")
    if batch_id != max(standing):
        raise CarehouseError(
            f"Batch {batch_id} of {contract.name} is not the latest of {council}: batch {max(standing)} stands on it. "
            "Withdraw that one first."
        )
    accepted: list[date] = [known_on for _, state, _, known_on in batches if state == "accepted"]
    return max(business_date, *accepted)
