"""Publishing and rolling back 10⁶ rows, against 10⁴: the time must not depend on the rows.

Beside it, what publishing would take if the rows were copied into the table that readers see.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date

from benchmarks.figures import Comparison, Options
from benchmarks.scratch import Warehouse, scratch_server, warehouse
from carehouse.database import Role
from carehouse.progress import say
from carehouse.publication import publish, rollback

FEW, MANY = 10_000, 1_000_000


def measure(options: Options) -> Iterator[Comparison]:
    """Time attaching and pointing, pointing back, and copying."""
    size = f"{MANY:,} rows"
    published = Comparison("publication", "publish (attach, point)", size, f"publish {FEW:,} rows")
    rolled_back = Comparison("publication", "roll back", size, f"roll back to {FEW:,} rows")
    copied = Comparison("publication", "publish (attach, point)", size, "insert … select them")
    with scratch_server() as home, warehouse(home) as fresh:
        earlier = {rows: publish(fresh.settings, _candidate(fresh, rows)) for rows in (FEW, MANY)}
        for number in range(1, options.rounds + 1):
            say(f"publication: round {number} of {options.rounds}")
            (few, few_back), (many, many_back) = (_publish_and_back(fresh, rows, earlier[rows]) for rows in (FEW, MANY))
            published.add(many, few)
            rolled_back.add(many_back, few_back)
            copied.add(many, _copy(fresh, _candidate(fresh, MANY)))
    yield from (published, rolled_back, copied)


def _publish_and_back(fresh: Warehouse, rows: int, earlier: int) -> tuple[float, float]:
    build_id = _candidate(fresh, rows)
    published = _seconds(lambda: publish(fresh.settings, build_id))
    return published, _seconds(lambda: rollback(fresh.settings, earlier))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _candidate(fresh: Warehouse, rows: int) -> int:
    """Make one sealed mart as a build does, judged as passed; give the build's id."""
    with fresh.connect(Role.BUILDER) as builder:
        ((build_id,),) = builder.execute(
            "insert into audit.build (as_at_date, code_version, state) values (%s, 'benchmark', 'built') "
            "returning build_id",
            [date(2018, 10, 31)],
        )
        builder.execute("drop table if exists candidate.kpi_benchmark")
        builder.execute(
            f"""
            create table candidate.kpi_benchmark as
            select {build_id}::bigint as publication_id, n as line_number, 'measure ' || n % 50 as measure_name,
                n::numeric(12, 2) as value, date '2016-04-01' + n % 900 as period_end_date,
                'exampleshire' as council_code
            from generate_series(1, {rows}) as n
            """
        )
        builder.execute(
            f"alter table candidate.kpi_benchmark add primary key (publication_id, line_number), "
            f"add constraint publication_is_constant check (publication_id = {build_id}), "
            "alter council_code set not null, add constraint whose_rows check (council_code <> 'all')"
        )
    with fresh.connect(Role.GATE) as gate:
        gate.execute(
            "insert into audit.gate_run (build_id, verdict, checks_declared, checks_evaluated, critical_failed, "
            "warning_failed) values (%s, 'passed', 1, 1, 0, 0)",
            [build_id],
        )
    fresh.settle()
    return int(build_id)


def _copy(fresh: Warehouse, build_id: int) -> float:
    """Give the least that publishing by copying takes: the rows into an empty table with the same key."""
    with fresh.connect(Role.BUILDER) as builder:
        builder.execute("drop table if exists reference.kpi_copied")
        builder.execute("create table reference.kpi_copied (like candidate.kpi_benchmark including all)")
        return _seconds(
            lambda: builder.execute(
                "insert into reference.kpi_copied select * from candidate.kpi_benchmark where publication_id = %s",
                [build_id],
            )
        )
