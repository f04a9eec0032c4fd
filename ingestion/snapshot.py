"""Brings history to what a full snapshot says, writing only what differs."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from ingestion import history, profile
from ingestion.contract import Contract
from ingestion.copying import FINGERPRINT, ROW_PLACE, copying
from ingestion.extract import LINE
from ingestion.fingerprint import Known
from ingestion.intake import Intake, conflicts, repeats
from ingestion.refusal import FileRefused
from ingestion.rivals import stage_rivals
from ingestion.staging import HELD, STAGED, names, same_key, stage, unstage_repeats

DIFFERENCE = sql.Identifier("pg_temp", "difference")


@dataclass(frozen=True)
class Change:
    """What a delivery did to history: its rows by what became of them, and versions `closed` without a successor.

    `rejects` are rows found bad only when they were held against each other. `moved` counts what was opened less what
    was closed, None where nothing current was touched; `is_whole` says that this is the whole table.
    """

    new: int
    rejects: pl.DataFrame
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    superseded: int = 0
    closed: int = 0
    moved: profile.Counts | None = None
    is_whole: bool = False


@dataclass(frozen=True)
class Arrival:
    """Whose delivery it is, as which batch, the day it shows, and the day on which it became known."""

    contract: Contract
    council: str
    batch_id: int
    extract_date: date
    known_on: date


def is_first(loader: psycopg.Connection[Any], contract: Contract, council: str) -> bool:
    """Say whether history holds nothing of this council's table yet."""
    found = loader.execute(
        sql.SQL("select from {} where council_code = %s limit 1").format(history.table(contract)), [council]
    )
    return found.fetchone() is None


def write_first(loader: psycopg.Connection[Any], arrival: Arrival, intake: Intake) -> Change:
    """Write a first snapshot straight into history.

    Raises:
        psycopg.errors.UniqueViolation: two rows share a key; the transaction is to be taken back to before.
    """
    contract = arrival.contract
    facts = {
        "batch_id": pl.lit(arrival.batch_id, dtype=pl.Int64),
        "known_from": pl.lit(arrival.known_on, dtype=pl.Date),
        "council_code": pl.lit(arrival.council),
    }
    tally = profile.Tally(contract)
    # Rows that are born frozen need not be written a second time when they are first read.
    freeze = history.empty_if_nobody_reads(loader, contract)
    if freeze:
        # What all rows share need not be sent with each: the table is ours alone.
        shared = pl.select(fact.alias(name) for name, fact in facts.items())
        history.set_defaults(loader, contract, shared.row(0, named=True))
    sent = {} if freeze else facts
    columns = [*sent, LINE, FINGERPRINT, *(name for name, _ in history.stored_columns(contract))]
    with copying(loader, history.table(contract), columns, freeze=freeze) as write:
        for rows in intake.rows():
            tally.add(rows)
            write(rows.with_columns(pl.col(LINE).cast(pl.Int32), **sent))
    if freeze:
        history.set_defaults(loader, contract, dict.fromkeys(facts))
    loader.execute("set local max_parallel_maintenance_workers = 2; set local maintenance_work_mem = '256MB'")
    history.ensure_one_open_version(loader, contract)
    return Change(new=tally.rows, rejects=repeats(pl.Series(dtype=pl.Int64)), moved=tally.counts(), is_whole=True)


def compare(
    loader: psycopg.Connection[Any], arrival: Arrival, intake: Intake, known: Known, *, may_shrink: bool
) -> Change:
    """Close what changed or vanished on the day it became known, and open what is new or changed.

    Keys of bad rows are left as they are. `known` holds the fingerprints of the open versions; rows of those need
    not be written to be compared.

    Raises:
        FileRefused: more rows vanished than the contract allows, unless it `may_shrink`.
    """
    contract = arrival.contract
    stage(loader, contract, intake)
    _fetch_unmet(loader, arrival, known)
    rivals = stage_rivals(loader, contract, arrival.council, intake, known, late=False)
    repeated, conflicting = unstage_repeats(loader, contract)
    _find_differences(loader, contract)
    counted = loader.execute(sql.SQL("select verdict, count(*) from {} group by verdict").format(DIFFERENCE)).fetchall()
    counts: dict[str, int] = dict(counted)
    if not may_shrink:
        _refuse_shrunk(intake, known, counts.get("vanished", 0))
    moved = _count_moved(loader, contract)
    _write(loader, arrival)
    history.ensure_one_open_version(loader, contract)
    return Change(
        new=counts.get("new", 0),
        changed=counts.get("changed", 0),
        unchanged=intake.known_count - rivals + counts.get("same", 0),
        closed=counts.get("vanished", 0),
        moved=moved,
        rejects=pl.concat(
            [
                repeats(pl.Series(repeated, dtype=pl.Int64)),
                conflicts(pl.Series(conflicting, dtype=pl.Int64), intake.extract),
            ]
        ),
    )


def keep_late(loader: psycopg.Connection[Any], arrival: Arrival, intake: Intake, known: Known) -> Change:
    """Keep what only a late snapshot shows, as versions that were overtaken before they were known.

    A later snapshot has said since what is true: nothing that is open is touched. `known` holds the fingerprints of all
    versions.
    """
    contract = arrival.contract
    stage(loader, contract, intake)
    rivals = stage_rivals(loader, contract, arrival.council, intake, known, late=True)
    repeated, conflicting = unstage_repeats(loader, contract)
    columns = [name for name, _ in history.stored_columns(contract)]
    new = loader.execute(
        sql.SQL(
            """
            insert into {history} (
                batch_id, closed_by_batch_id, known_from, known_to, source_line, fingerprint, council_code, {columns}
            )
            select %(batch)s, %(batch)s, %(day)s, %(day)s, staged.source_line, staged.fingerprint, %(council)s, {staged}
            from pg_temp.staged as staged
            where not exists (
                select
                from {history} as known
                where known.council_code = %(council)s and {same_key} and ({staged}) is not distinct from ({known})
            )
            """
        ).format(
            history=history.table(contract),
            columns=names(columns),
            staged=names(columns, "staged"),
            known=names(columns, "known"),
            same_key=same_key(contract, "staged", "known"),
        ),
        {"batch": arrival.batch_id, "day": arrival.known_on, "council": arrival.council},
    ).rowcount
    (staged_count,) = loader.execute("select count(*) from pg_temp.staged").fetchone() or (0,)
    return Change(
        new=new,
        unchanged=intake.known_count - rivals + staged_count - new,
        rejects=pl.concat(
            [
                repeats(pl.Series(repeated, dtype=pl.Int64)),
                conflicts(pl.Series(conflicting, dtype=pl.Int64), intake.extract),
            ]
        ),
    )


def _fetch_unmet(loader: psycopg.Connection[Any], arrival: Arrival, known: Known) -> None:
    """Put the open versions that no row of the file has into `pg_temp.known`."""
    contract = arrival.contract
    unmet = known.unmet()
    loader.execute("create temporary table unmet (row_place tid) on commit drop")
    with copying(loader, sql.Identifier("pg_temp", "unmet"), [ROW_PLACE]) as write:
        write(unmet)
    loader.execute(
        sql.SQL(
            """
            create temporary table known on commit drop as
            select history.ctid as row_place, {columns}
            from {history} as history
            where
                history.ctid = any(array(select unmet.row_place from pg_temp.unmet as unmet))
                and history.council_code = %(council)s
                and history.known_to is null
            """
        ).format(
            history=history.table(contract),
            columns=names((name for name, _ in history.stored_columns(contract)), "history"),
        ),
        {"council": arrival.council},
    )
    loader.execute("analyze pg_temp.known")
    (found,) = loader.execute("select count(*) from pg_temp.known").fetchone() or (0,)
    if found != unmet.height:
        raise RuntimeError("history was written by somebody else while a delivery was compared with it")


def _find_differences(loader: psycopg.Connection[Any], contract: Contract) -> None:
    """Pair open versions with staged rows by key, and say what each pair means."""
    columns = [name for name, _ in history.stored_columns(contract)]
    loader.execute(
        sql.SQL(
            """
            create temporary table difference on commit drop as
            select
                known.row_place as known_row,
                staged.ctid as staged_row,
                case
                    when staged.ctid is null then 'vanished'
                    when known.row_place is null then 'new'
                    when ({staged}) is distinct from ({known}) then 'changed'
                    else 'same'
                end as verdict
            from pg_temp.known as known
            full join pg_temp.staged as staged on {same_key}
            where staged.ctid is not null or not exists (select from {held} as held where {held_key})
            """
        ).format(
            staged=names(columns, "staged"),
            known=names(columns, "known"),
            same_key=same_key(contract, "staged", "known"),
            held=HELD,
            held_key=same_key(contract, "held", "known"),
        )
    )


def _refuse_shrunk(intake: Intake, known: Known, vanished: int) -> None:
    contract, limit = intake.extract.contract, intake.extract.contract.shrink_limit_percent
    known_count = len(known)
    if limit is not None and vanished * 100 > limit * known_count:
        raise FileRefused(
            "shrunk",
            f"{intake.extract.path.name}: {vanished:,} of the {known_count:,} rows known so far are not in the file, "
            f"more than the {limit} % that contract {contract.name} allows: it may be cut short, or another "
            "table's or council's.",
        )


def _count_moved(loader: psycopg.Connection[Any], contract: Contract) -> profile.Counts:
    return profile.count_moved(
        loader,
        contract,
        opened=sql.SQL(
            """
            select staged.*
            from {difference} as difference
            inner join {staged} as staged on difference.staged_row = staged.ctid
            where difference.verdict in ('new', 'changed')
            """
        ).format(difference=DIFFERENCE, staged=STAGED),
        closed=sql.SQL(
            """
            select known.*
            from {difference} as difference
            inner join pg_temp.known as known on difference.known_row = known.row_place
            where difference.verdict in ('changed', 'vanished')
            """
        ).format(difference=DIFFERENCE),
    )


def _write(loader: psycopg.Connection[Any], arrival: Arrival) -> None:
    columns = [name for name, _ in history.stored_columns(arrival.contract)]
    parts = {
        "history": history.table(arrival.contract),
        "difference": DIFFERENCE,
        "columns": names(columns),
        "staged": names(columns, "staged"),
    }
    facts = {"batch": arrival.batch_id, "day": arrival.known_on, "council": arrival.council}
    for statement in (
        """
        update {history}
        set known_to = %(day)s, closed_by_batch_id = %(batch)s
        where ctid = any(array(select known_row from {difference} where verdict in ('changed', 'vanished')))
        """,
        """
        update {history} as known
        set fingerprint = staged.fingerprint
        from {difference} as difference
        inner join pg_temp.staged as staged on difference.staged_row = staged.ctid
        where
            known.ctid = any(array(select known_row from {difference} where verdict = 'same'))
            and known.ctid = difference.known_row
        """,
        """
        insert into {history} (batch_id, known_from, source_line, fingerprint, council_code, {columns})
        select %(batch)s, %(day)s, staged.source_line, staged.fingerprint, %(council)s, {staged}
        from {difference} as difference
        inner join pg_temp.staged as staged on difference.staged_row = staged.ctid
        where difference.verdict in ('new', 'changed')
        """,
    ):
        loader.execute(sql.SQL(statement).format(**parts), facts)
