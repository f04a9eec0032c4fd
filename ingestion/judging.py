"""Has a delivery judged, in its own open transaction, by what it did to its table and by the deliveries before it."""

from dataclasses import astuple, fields
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from carehouse.arrival import LOOKS_BACK, ArrivalCheck, Arrived, Counted, Judgement
from ingestion import profile
from ingestion.manifest import Delivery
from ingestion.refusal import FileRefused

_ACCEPTED = """
    select
        batch_id, extract_date, rows_in, rows_rejected,
        rows_new + rows_changed + rows_removed + rows_closed, control_total_gbp
    from audit.batch
    where
        council_code = %s and source_name = %s and table_name = %s
        and state = 'accepted' and withdrawn_on is null and not is_late
    order by batch_id desc
    limit %s
"""


class ArrivalRefused(FileRefused):
    """A delivery that can be read and kept, but is too unlike the ones before it."""

    def __init__(self, message: str, judgement: Judgement) -> None:
        """Keep what came of the checks, to be recorded with the refusal."""
        super().__init__("arrival_check_failed", message)
        self.judgement = judgement


def arrived(loader: psycopg.Connection[Any], delivery: Delivery, business_date: date) -> Arrived:
    """Say what arrived: the latest batch of the delivery's table, recorded in the open transaction, and those before.

    One before them whose profile is not known is passed over.
    """
    contract = delivery.contract
    rows = loader.execute(_ACCEPTED, [delivery.council, contract.source, contract.table, LOOKS_BACK + 1]).fetchall()
    profiles = profile.of_batches(loader, [batch_id for batch_id, *_ in rows])
    delivered, *earlier = [
        Counted(extract_date, rows_in, rejected, moved, total, profiles[batch_id])
        for batch_id, extract_date, rows_in, rejected, moved, total in rows
        if batch_id in profiles
    ]
    return Arrived(
        table=contract.name,
        council=delivery.council,
        business_date=business_date,
        stale_after_days=contract.stale_after_days,
        promises_total=contract.control_total is not None,
        whom_to_ask=contract.whom_to_ask,
        delivered=delivered,
        earlier=tuple(earlier),
    )


def keep(loader: psycopg.Connection[Any], batch_id: int, judgement: Judgement) -> None:
    """Keep what came of each check of a batch for ever."""
    columns = ["batch_id", *(field.name for field in fields(ArrivalCheck))]
    with loader.cursor() as cursor:
        cursor.executemany(
            sql.SQL("insert into audit.arrival_check ({}) values ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(sql.Placeholder() for _ in columns),
            ),
            [(batch_id, *astuple(check)) for check in judgement.checks],
        )
