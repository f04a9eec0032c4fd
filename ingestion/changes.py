"""Brings history to what a change feed says: rows inserted, updated and deleted since the feed before."""

from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from ingestion import history, profile
from ingestion.contract import Column, Contract
from ingestion.intake import Intake, repeats
from ingestion.snapshot import Arrival, Change
from ingestion.staging import names, same_key, stage


def apply_changes(loader: psycopg.Connection[Any], arrival: Arrival, intake: Intake) -> Change:
    """Apply each change to the row of its key.

    Of several changes to one row in a file the last counts. A change is overtaken where a feed of a later day has
    already spoken of the row: feeds that arrive late or out of order leave the same rows open. What was overtaken is
    kept as a version that was never current. So are a deletion of a row not known and a change to what is known
    already, lest an older change that is still to come undo them.
    """
    contract = arrival.contract
    stage(loader, contract, intake)
    _judge(loader, arrival)
    counts: dict[str, int] = dict(
        loader.execute("select verdict, count(*) from pg_temp.judged group by verdict").fetchall()
    )
    moved = _count_moved(loader, contract)
    _write(loader, arrival)
    history.ensure_one_open_version(loader, contract)
    return Change(
        new=counts.get("new", 0),
        changed=counts.get("changed", 0),
        unchanged=counts.get("same", 0),
        removed=counts.get("removed", 0),
        superseded=counts.get("overtaken", 0),
        closed=counts.get("removed", 0),
        moved=moved,
        rejects=repeats(pl.Series(dtype=pl.Int64)),
    )


def _judge(loader: psycopg.Connection[Any], arrival: Arrival) -> None:
    contract = arrival.contract
    columns = [column.name for column in contract.stored]
    loader.execute(
        sql.SQL(
            """
            create temporary table judged on commit drop as
            with last_touched as (
                select {known_key}, max(delivered.extract_date) as extract_date
                from {history} as known
                inner join audit.batch as delivered
                    on delivered.batch_id in (known.batch_id, known.closed_by_batch_id)
                where
                    known.council_code = %(council)s
                    and delivered.withdrawn_on is null
                    and exists (select from pg_temp.staged as staged where {same_key})
                group by {known_key}
            )

            select
                staged.ctid as staged_row,
                known.ctid as known_row,
                case
                    when
                        staged.source_line < max(staged.source_line) over (partition by {staged_key})
                        or last_touched.extract_date > %(extract_date)s
                        or ({operation} = 'delete' and known.ctid is null)
                        then 'overtaken'
                    when {operation} = 'delete' then 'removed'
                    when known.ctid is null then 'new'
                    when ({staged}) is distinct from ({known}) then 'changed'
                    else 'same'
                end as verdict
            from pg_temp.staged as staged
            left join last_touched on {touched_key}
            left join {history} as known
                on {same_key} and known.council_code = %(council)s and known.known_to is null
            """
        ).format(
            history=history.table(contract),
            known_key=names((column.name for column in contract.key), "known"),
            staged_key=names((column.name for column in contract.key), "staged"),
            same_key=same_key(contract, "staged", "known"),
            touched_key=same_key(contract, "staged", "last_touched"),
            operation=sql.Identifier("staged", str(contract.operation_column)),
            staged=names(columns, "staged"),
            known=names(columns, "known"),
        ),
        {"council": arrival.council, "extract_date": arrival.extract_date},
    )


def _count_moved(loader: psycopg.Connection[Any], contract: Contract) -> profile.Counts:
    return profile.count_moved(
        loader,
        contract,
        opened=sql.SQL(
            """
            select staged.*
            from pg_temp.judged as judged
            inner join pg_temp.staged as staged on judged.staged_row = staged.ctid
            where judged.verdict in ('new', 'changed')
            """
        ),
        closed=sql.SQL(
            """
            select *
            from {history}
            where ctid = any(array(select known_row from pg_temp.judged where verdict in ('changed', 'removed')))
            """
        ).format(history=history.table(contract)),
    )


def _write(loader: psycopg.Connection[Any], arrival: Arrival) -> None:
    columns = [name for name, _ in history.stored_columns(arrival.contract)]
    parts = {
        "history": history.table(arrival.contract),
        "columns": names(columns),
        "staged": names(columns, "staged"),
    }
    facts = {"batch": arrival.batch_id, "day": arrival.known_on, "council": arrival.council}
    for statement in (
        """
        update {history} as known
        set known_to = %(day)s, closed_by_batch_id = %(batch)s
        from pg_temp.judged as judged
        where known.ctid = judged.known_row and judged.verdict in ('changed', 'removed')
        """,
        """
        insert into {history} (
            batch_id, closed_by_batch_id, known_from, known_to, source_line, fingerprint, council_code, {columns}
        )
        select
            %(batch)s,
            case when judged.verdict in ('overtaken', 'same') then %(batch)s end,
            %(day)s,
            case when judged.verdict in ('overtaken', 'same') then %(day)s::date end,
            staged.source_line,
            staged.fingerprint,
            %(council)s,
            {staged}
        from pg_temp.judged as judged
        inner join pg_temp.staged as staged on judged.staged_row = staged.ctid
        where judged.verdict in ('new', 'changed', 'overtaken', 'same')
        """,
    ):
        loader.execute(sql.SQL(statement).format(**parts), facts)


def _as_sent(column: Column) -> sql.Composed:
    """Write a staged value as its contract says that it is sent."""
    value = sql.Identifier("staged", column.name)
    if column.kind not in ("date", "timestamp"):
        return sql.SQL("{}::text").format(value)
    day = column.date_format.replace("%d", "dd").replace("%m", "mm").replace("%Y", "yyyy")
    return sql.SQL("to_char({}, {})").format(value, f"{day} hh24:mi:ss" if column.kind == "timestamp" else day)


def clear_rejects(loader: psycopg.Connection[Any], arrival: Arrival) -> None:
    """Mark as cleared each row rejected before whose key this feed has brought in good order."""
    contract: Contract = arrival.contract
    in_same_key = sql.SQL(" and ").join(
        sql.SQL("trim(rejected.sent ->> {}) = {}").format(sql.Literal(column.header), _as_sent(column))
        for column in contract.key
    )
    loader.execute(
        sql.SQL(
            """
            update quarantine.rejected_row as cleared
            set cleared_by_batch_id = %(batch)s
            from (
                select ctid as row_place, row_as_sent::jsonb as sent
                from quarantine.rejected_row
                where
                    council_code = %(council)s and source_name = %(source)s and table_name = %(table)s
                    and cleared_by_batch_id is null and column_name is not null and batch_id < %(batch)s
            ) as rejected
            inner join pg_temp.staged as staged on {in_same_key}
            where cleared.ctid = rejected.row_place
            """
        ).format(in_same_key=in_same_key),
        {
            "batch": arrival.batch_id,
            "council": arrival.council,
            "source": contract.source,
            "table": contract.table,
        },
    )
