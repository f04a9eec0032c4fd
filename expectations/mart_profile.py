"""Counts what a build's marts hold, council by council and month by month, beside what was published last."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.settings import Settings
from expectations.arguments import Mart
from expectations.catalogue import Catalogue

# Tables show three years of months: one that has left them has not vanished. Earlier rows are counted together.
MONTHS_BACK = 35

_JUDGED = """
    with judged as (
        select
            build_id,
            as_at_date,
            date_trunc('month', as_at_date::timestamp)::date - interval '{months_back} months' as first_month
        from audit.build
        where build_id = {build_id}
    )"""

_KEEP = """
    {judged},

    earlier as (
        select before.publication_id, before.as_at_date
        from judged
        cross join store.previous_publication(judged.as_at_date, judged.build_id) as before
    ),

    counted (table_name, council_code, month_start_date, row_count, amount_gbp) as (
        select * from unnest(%s::text[], %s::text[], %s::date[], %s::bigint[], %s::numeric[])
    ),

    counted_before as (
        select
            profiled.table_name,
            profiled.council_code,
            case
                when profiled.month_start_date >= judged.first_month then profiled.month_start_date
            end as month_start_date,
            sum(profiled.row_count) as row_count,
            sum(profiled.amount_gbp) as amount_gbp
        from audit.mart_profile as profiled
        inner join earlier on profiled.build_id = earlier.publication_id
        cross join judged
        where
            profiled.row_count > 0
            and profiled.counted_at = (
                select max(latest.counted_at) from audit.mart_profile as latest
                where latest.build_id = earlier.publication_id
            )
        group by 1, 2, 3
    )

    insert into audit.mart_profile (
        build_id, counted_at, table_name, council_code, month_start_date, row_count, amount_gbp,
        previous_publication_id, previous_as_at_date, previous_row_count, previous_amount_gbp, is_comparable
    )
    select
        judged.build_id,
        transaction_timestamp(),
        coalesce(counted.table_name, counted_before.table_name),
        coalesce(counted.council_code, counted_before.council_code),
        coalesce(counted.month_start_date, counted_before.month_start_date),
        coalesce(counted.row_count, 0),
        counted.amount_gbp,
        earlier.publication_id,
        earlier.as_at_date,
        counted_before.row_count,
        counted_before.amount_gbp,
        coalesce(counted.month_start_date, counted_before.month_start_date) is not null
    from counted
    full join counted_before
        on
            counted.table_name = counted_before.table_name
            and counted.council_code = counted_before.council_code
            and coalesce(counted.month_start_date, '-infinity') = coalesce(counted_before.month_start_date, '-infinity')
    cross join judged
    left join earlier on true
"""

# By day first: there are few days, and each row of a large mart costs less that way.
_COUNT = """
    select
        {name}::text as table_name,
        days.council_code,
        case when days.month_start_date >= judged.first_month then days.month_start_date end,
        sum(days.row_count)::bigint,
        sum(days.amount_gbp)
    from (
        select
            council_code,
            date_trunc('month', {month}::timestamp)::date as month_start_date,
            count(*) as row_count,
            {amount} as amount_gbp
        from {table}
        group by council_code, {month}
    ) as days
    cross join judged
    group by 1, 2, 3
"""


def count_marts(settings: Settings, build_id: int, marts: Iterable[Mart], catalogue: Catalogue) -> dict[str, int]:
    """Keep in audit.mart_profile how many rows of each council and month the marts of build `build_id` have.

    Each mart is read once; give how many rows each has. One that was not built, or that the gate may not read, is not
    among them, nor is one without a row.
    """
    rows: Counter[str] = Counter()
    with connect(settings, Role.GATE) as gate:
        counts = [
            _count(mart)
            for mart in marts
            if "council_code" in catalogue.columns.get(mart.name, {}) and _is_readable(gate, mart.name)
        ]
        if counts:
            judged = sql.SQL(_JUDGED).format(build_id=sql.Literal(build_id), months_back=sql.SQL(str(MONTHS_BACK)))
            # Counted first and kept then: only what writes nothing is counted by several workers of the server.
            counted = gate.execute(judged + sql.SQL("\nunion all\n").join(counts)).fetchall()
            columns = [[row[place] for row in counted] for place in range(5)]
            gate.execute(sql.SQL(_KEEP).format(judged=judged), columns)
            for table, _, _, row_count, _ in counted:
                rows[table] += row_count
    return dict(rows)


def _is_readable(gate: psycopg.Connection[Any], table: str) -> bool:
    asked = "select has_table_privilege(format('candidate.%%I', %s::text), 'select')"
    return gate.execute(asked, [table]).fetchone() == (True,)


def _count(mart: Mart) -> sql.Composed:
    month = sql.Identifier(mart.month) if mart.month else sql.SQL("null::date")
    amount = sql.SQL("sum({})").format(sql.Identifier(mart.amount)) if mart.amount else sql.SQL("null::numeric")
    return sql.SQL(_COUNT).format(
        name=sql.Literal(mart.name), month=month, amount=amount, table=sql.Identifier("candidate", mart.name)
    )
