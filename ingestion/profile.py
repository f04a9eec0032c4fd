"""Profiles: how many rows of a table there are, lack a value, are of a month or a code. Counts alone, never a value.

A profile is of a council's whole table as it stands after a delivery. A delivery adds what it opened and takes away
what it closed, so that only rows that moved are counted again.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from carehouse.arrival import BLANK, CODE, EARLIER, LATER, MONTH, REJECTED, ROWS, Bucket
from ingestion import history
from ingestion.contract import CHANGES, Column, Contract
from ingestion.extract import LINE
from ingestion.staging import names

MONTHS_KEPT = 36
FIRST_MONTH, LAST_MONTH = "1900-01", "2099-12"
FRAMES_HELD = 64

Counts = dict[Bucket, int]
Connection = psycopg.Connection[Any]


class Tally:
    """Counts typed rows block by block, in well under a second for two million."""

    def __init__(self, contract: Contract) -> None:
        """Count by what the contract says of each column."""
        self._contract = contract
        self.rows = 0
        self._blanks = dict.fromkeys((column.name for column in contract.stored), 0)
        self._found: dict[str, list[pl.DataFrame]] = {column.name: [] for column in _divided(contract)}

    def add(self, rows: pl.DataFrame) -> None:
        """Count one block of good rows."""
        self.rows += rows.height
        for name in self._blanks:
            self._blanks[name] += rows[name].null_count()
        for name, found in self._found.items():
            values = rows[name]
            days = values.dt.date() if values.dtype.is_temporal() else values
            found.append(days.alias("value").value_counts(name="rows"))
            if len(found) == FRAMES_HELD:
                self._found[name] = [_summed(found)]

    def counts(self) -> Counts:
        """Give what was counted so far."""
        counts = {Bucket(ROWS): self.rows} | {Bucket(BLANK, name): blank for name, blank in self._blanks.items()}
        for column in _divided(self._contract):
            if not self._found[column.name]:
                continue
            found = _summed(self._found[column.name]).drop_nulls("value")
            if not column.codes:
                found = _summed([found.with_columns(pl.col("value").dt.strftime("%Y-%m"))])
            for name, rows in found.iter_rows():
                bucket = Bucket(CODE, column.name, name) if column.codes else _month(column, name)
                counts[bucket] = counts.get(bucket, 0) + rows
        return counts


def counted_by(contract: Contract) -> dict[str, str | None]:
    """Give the columns that are counted, and by what beside their blanks: month, code or nothing."""
    divided = {column.name: CODE if column.codes else MONTH for column in _divided(contract)}
    return {column.name: divided.get(column.name) for column in contract.stored}


def count_moved(
    loader: Connection, contract: Contract, opened: sql.Composable, closed: sql.Composable | None = None
) -> Counts:
    """Count, where they lie, the rows of the relation `opened` less those of `closed`; each is a `select … from …`."""
    columns = [column.name for column in contract.stored]
    divided = _divided(contract)
    parts = [sql.SQL("select 1 as way, {} from ({}) as opened").format(names(columns), opened)]
    if closed is not None:
        parts.append(sql.SQL("select -1 as way, {} from ({}) as closed").format(names(columns), closed))
    keys = [sql.Identifier(f"by {column.name}") for column in divided]
    divisions = [
        sql.SQL("{} as {}").format(
            sql.Identifier(column.name)
            if column.codes
            # A year beyond four digits, or before the first, is far off: in words it would look near.
            else sql.SQL(
                "case when {day} < '1900-01-01' then '0001-01' when {day} >= '2100-01-01' then '9999-12' "
                "else to_char({day}, 'YYYY-MM') end"
            ).format(day=sql.Identifier(column.name)),
            key,
        )
        for column, key in zip(divided, keys, strict=True)
    ]
    blanks = [
        sql.SQL("coalesce(sum(way) filter (where {} is null), 0)::bigint").format(sql.Identifier(name))
        for name in columns
    ]
    found = loader.execute(
        sql.SQL(
            """
            select {grouping}, coalesce(sum(way), 0)::bigint, array[{blanks}]{keys}
            from (select moved.*{divisions} from ({moved}) as moved) as moved
            group by grouping sets ({sets} ())
            """
        ).format(
            grouping=sql.SQL("array[{}]::integer[]").format(
                sql.SQL(", ").join(sql.SQL("grouping({})").format(key) for key in keys)
            ),
            blanks=sql.SQL(", ").join(blanks),
            keys=sql.SQL("").join(sql.SQL(", {}").format(key) for key in keys),
            divisions=sql.SQL("").join(sql.SQL(", {}").format(division) for division in divisions),
            moved=sql.SQL(" union all ").join(parts),
            sets=sql.SQL("").join(sql.SQL("({}), ").format(key) for key in keys),
        )
    )
    counts: Counts = {}
    for is_left_out, rows, blank, *values in found:
        if 0 not in is_left_out:
            counts[Bucket(ROWS)] = rows
            counts |= {Bucket(BLANK, name): each for name, each in zip(columns, blank, strict=True)}
            continue
        place = is_left_out.index(0)
        column, name = divided[place], values[place]
        if name is not None:
            bucket = Bucket(CODE, column.name, name) if column.codes else _month(column, name)
            counts[bucket] = counts.get(bucket, 0) + rows
    return counts


def after(
    loader: Connection, contract: Contract, council: str, moved: Counts, *, is_whole: bool, latest: date
) -> Counts:
    """Give the profile of a council's table as it stands in the open transaction, before its batch is recorded.

    `moved` is what the delivery opened less what it closed, or `is_whole`. The profile before it is read from the
    ledger; where there is none, or the two do not add up, as after a change of contract, the table is counted from
    the beginning. `latest` is the day of its latest extract.
    """
    before = {} if is_whole else _latest(loader, contract, council)
    counts = _folded(_sum([before, moved]), latest)
    if (before or is_whole) and _adds_up(contract, counts):
        return counts
    standing = sql.SQL("select * from {} where council_code = {} and known_to is null").format(
        history.table(contract), sql.Literal(council)
    )
    return _folded(count_moved(loader, contract, standing), latest)


def of_rejects(rejects: pl.DataFrame) -> Counts:
    """Count rejected rows by reason."""
    reasons = rejects.group_by("reason_code").agg(pl.col(LINE).n_unique())
    return {Bucket(REJECTED, "", reason): rows for reason, rows in reasons.iter_rows()}


def keep(loader: Connection, batch_id: int, counts: Mapping[Bucket, int]) -> None:
    """Keep the profile of a batch for ever."""
    with (
        loader.cursor() as cursor,
        cursor.copy("copy audit.batch_profile (batch_id, kind, column_name, bucket, row_count) from stdin") as copy,
    ):
        for bucket, rows in counts.items():
            copy.write_row((batch_id, *bucket, rows))


def of_batches(loader: Connection, batch_ids: list[int]) -> dict[int, Counts]:
    """Read the profiles of batches; one that has none is left out."""
    found: dict[int, Counts] = {}
    for batch_id, kind, column, name, rows in loader.execute(
        "select batch_id, kind, column_name, bucket, row_count from audit.batch_profile where batch_id = any(%s)",
        [batch_ids],
    ):
        found.setdefault(batch_id, {})[Bucket(kind, column, name)] = rows
    return found


def _latest(loader: Connection, contract: Contract, council: str) -> Counts:
    """Give the profile after the last delivery that stands and touched what is current; empty if there is none."""
    row = loader.execute(
        """
        select max(batch_id)
        from audit.batch
        where
            council_code = %s and source_name = %s and table_name = %s and state = 'accepted' and withdrawn_on is null
            and (not is_late or %s)
            -- What was taken away since was taken from no profile.
            and not exists (
                select from audit.erasure_step
                where step_code = 'history' and object_name = %s and done_at > finished_at
            )
            and not exists (
                select from audit.retention_run
                where retention_run.table_name = %s and ran_at > finished_at
            )
        """,
        [council, contract.source, contract.table, contract.delivery == CHANGES, contract.name, contract.name],
    ).fetchone()
    counts = of_batches(loader, [row[0]]).get(row[0], {}) if row and row[0] else {}
    return {bucket: rows for bucket, rows in counts.items() if bucket.kind != REJECTED}


def _divided(contract: Contract) -> list[Column]:
    """List the columns whose rows are counted by month or code: days of a person's own life are nobody's business."""
    return [
        column
        for column in contract.stored
        if column.codes or (column.kind in ("date", "timestamp") and column.classification != "personal")
    ]


def _summed(found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(found).group_by("value").agg(pl.col("rows").sum())


def _month(column: Column, name: str) -> Bucket:
    far = EARLIER if name < FIRST_MONTH else LATER if name > LAST_MONTH else name
    return Bucket(MONTH, column.name, far)


def _sum(profiles: Iterable[Mapping[Bucket, int]]) -> Counts:
    total: Counts = {}
    for counts in profiles:
        for bucket, rows in counts.items():
            total[bucket] = total.get(bucket, 0) + rows
    return total


def _folded(counts: Mapping[Bucket, int], latest: date) -> Counts:
    """Keep the last months one by one and those before them as one; leave out months and codes of no row."""
    since = latest.year * 12 + latest.month - 1 - MONTHS_KEPT
    first = f"{since // 12:04}-{since % 12 + 1:02}"
    folded: Counts = {}
    for bucket, rows in counts.items():
        is_past = bucket.kind == MONTH and bucket.name not in (EARLIER, LATER) and bucket.name < first
        where = bucket._replace(name=EARLIER) if is_past else bucket
        folded[where] = folded.get(where, 0) + rows
    return {bucket: rows for bucket, rows in folded.items() if rows or bucket.kind in (ROWS, BLANK)}


def _adds_up(contract: Contract, counts: Mapping[Bucket, int]) -> bool:
    """Say whether a profile can be one: of these columns, none below nothing, and each column's parts the whole."""
    if {bucket.column for bucket in counts if bucket.kind == BLANK} != {column.name for column in contract.stored}:
        return False
    rows = dict.fromkeys((column.name for column in _divided(contract)), 0)
    for bucket, count in counts.items():
        if count < 0 or (bucket.column not in rows and bucket.kind in (MONTH, CODE)):
            return False
        if bucket.column in rows:
            rows[bucket.column] += count
    return all(count == counts.get(Bucket(ROWS), 0) for count in rows.values())
