"""Quarantine: what was not loaded, or not as it was sent, kept where only the loader and the auditor can read it."""

from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.settings import Settings
from ingestion.changes import clear_rejects
from ingestion.contract import CHANGES
from ingestion.copying import copying
from ingestion.extract import LINE
from ingestion.snapshot import Arrival


def keep(loader: psycopg.Connection[Any], arrival: Arrival, rejects: pl.DataFrame, normalised: pl.DataFrame) -> None:
    """Keep the rejects and the normalised values of a batch, and clear what earlier batches left to be put right."""
    _clear(loader, arrival)
    for table, found in (("rejected_row", rejects), ("normalised_value", normalised)):
        if found.height:
            rows = found.rename({LINE: "line_number"}).with_columns(
                pl.lit(arrival.batch_id, dtype=pl.Int64).alias("batch_id"),
                pl.lit(arrival.council).alias("council_code"),
                pl.lit(arrival.contract.source).alias("source_name"),
                pl.lit(arrival.contract.table).alias("table_name"),
            )
            with copying(loader, sql.Identifier("quarantine", table), rows.columns) as write:
                write(rows)


def purge(settings: Settings, keep_days: int) -> int:
    """Delete what has been in quarantine for longer; give how many rows. The manifest keeps the counts."""
    with connect(settings, Role.LOADER) as loader:
        return sum(
            loader.execute(
                sql.SQL(
                    """
                    delete from {} where batch_id in (
                        select batch_id from audit.batch where finished_at < now() - make_interval(days => %s)
                    )
                    """
                ).format(sql.Identifier("quarantine", table)),
                [keep_days],
            ).rowcount
            for table in ("rejected_row", "normalised_value")
        )


def _clear(loader: psycopg.Connection[Any], arrival: Arrival) -> None:
    """A later delivery of the same day, or a later full snapshot, takes the place of what was rejected."""
    loader.execute(
        """
        update quarantine.rejected_row as rejected
        set cleared_by_batch_id = %(batch)s
        from audit.batch as earlier
        where
            rejected.batch_id = earlier.batch_id
            and rejected.council_code = %(council)s
            and rejected.source_name = %(source)s
            and rejected.table_name = %(table)s
            and rejected.cleared_by_batch_id is null
            and earlier.batch_id < %(batch)s
            and (earlier.extract_date = %(extract_date)s or (%(is_full)s and earlier.extract_date < %(extract_date)s))
        """,
        {
            "batch": arrival.batch_id,
            "council": arrival.council,
            "source": arrival.contract.source,
            "table": arrival.contract.table,
            "extract_date": arrival.extract_date,
            "is_full": arrival.contract.delivery != CHANGES,
        },
    )
    if arrival.contract.delivery == CHANGES:
        clear_rejects(loader, arrival)
