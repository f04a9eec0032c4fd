"""Rivals: rows that were passed over as known, though the same file holds other rows of their key.

Passing over what is known must not decide which of several rows of a key is right. So rivals are staged like rows that
are not known, and all of a key are held against each other.
"""

from typing import Any

import psycopg
from psycopg import sql

from ingestion import history
from ingestion.contract import Contract
from ingestion.copying import FINGERPRINT, copying
from ingestion.extract import LINE
from ingestion.fingerprint import Known
from ingestion.intake import Intake
from ingestion.staging import STAGED, names, same_key

RIVALS = sql.Identifier("pg_temp", "rival")


def stage_rivals(
    loader: psycopg.Connection[Any], contract: Contract, council: str, intake: Intake, known: Known, *, late: bool
) -> int:
    """Stage the rivals of the staged rows, each where it stands first, and say how many there are.

    Of a file that is not `late` only open versions count, and those that no row of the file has are in `pg_temp.known`.
    """
    loader.execute(
        sql.SQL("create temporary table rival ({} uuid not null, {} integer not null) on commit drop").format(
            sql.Identifier(FINGERPRINT), sql.Identifier(LINE)
        )
    )
    packed = _fingerprints_of_staged_keys(loader, contract, council, late=late)
    rivals = known.of_met(packed) if packed else None
    if rivals is None or rivals.is_empty():
        return 0
    with copying(loader, RIVALS, [FINGERPRINT, LINE]) as write:
        write(intake.first_lines(rivals))
    return _stage(loader, contract, council, late=late)


def _fingerprints_of_staged_keys(
    loader: psycopg.Connection[Any], contract: Contract, council: str, *, late: bool
) -> bytes | None:
    # An open version that no row of the file has is no rival, and there is no second one of its key.
    of_open = sql.SQL(
        """
        and history.known_to is null
        and not exists (select from pg_temp.known as known where {same_known_key})
        """
    ).format(same_known_key=same_key(contract, "staged", "known"))
    (packed,) = loader.execute(
        sql.SQL(
            """
            select string_agg(uuid_send(history.fingerprint), ''::bytea)
            from {staged} as staged
            inner join {history} as history
                on {same_key} and history.council_code collate "C" = %(council)s
            where history.fingerprint is not null {of_open}
            """
        ).format(
            staged=STAGED,
            history=history.table(contract),
            same_key=same_key(contract, "staged", "history", collate=True),
            of_open=sql.SQL("") if late else of_open,
        ),
        {"council": council},
    ).fetchone() or (None,)
    return packed


def _stage(loader: psycopg.Connection[Any], contract: Contract, council: str, *, late: bool) -> int:
    columns = [name for name, _ in history.stored_columns(contract)]
    parts = {
        "history": history.table(contract),
        "columns": names(columns),
        "history_columns": names(columns, "history"),
        "staged": STAGED,
        "rival": RIVALS,
        "of_open": sql.SQL("" if late else "and history.known_to is null"),
    }
    if not late:
        loader.execute(
            sql.SQL(
                """
                insert into pg_temp.known (row_place, {columns})
                select history.ctid, {history_columns}
                from {rival} as rival
                inner join {history} as history
                    on rival.fingerprint = history.fingerprint and history.council_code = %(council)s {of_open}
                """
            ).format(**parts),
            {"council": council},
        )
    return loader.execute(
        sql.SQL(
            """
            insert into {staged} ({columns}, source_line, fingerprint)
            select distinct on (rival.fingerprint) {history_columns}, rival.source_line, rival.fingerprint
            from {rival} as rival
            inner join {history} as history
                on rival.fingerprint = history.fingerprint and history.council_code = %(council)s {of_open}
            """
        ).format(**parts),
        {"council": council},
    ).rowcount
