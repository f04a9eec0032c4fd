"""A publisher to be killed at any moment: `python -m tests.publisher <seed>` builds, publishes, goes back, for ever."""

import random
import sys

from carehouse import publication
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings

MARTS = ("kpi_a", "kpi_b", "kpi_c")


def rows_of(publication_id: int) -> int:
    """Say how many rows each mart of a publication holds: another number for each of its neighbours."""
    return 40 + publication_id % 17


def build(settings: Settings) -> int | None:
    """Make small candidate tables, passed by the gate, each row holding the build's id; None if another builds."""
    with connect(settings, Role.BUILDER, autocommit=True) as builder:
        if builder.execute("select pg_try_advisory_lock(hashtext('carehouse build'))").fetchone() != (True,):
            return None
        row = builder.execute(
            "insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built') "
            "returning build_id"
        ).fetchone()
        build_id = int(row[0]) if row else 0
        for mart in MARTS:
            builder.execute(
                f"""
                drop table if exists candidate.{mart};
                create table candidate.{mart} (
                    publication_id bigint not null,
                    value numeric(12, 2) not null,
                    council_code text not null default 'all' constraint whose_rows check (council_code = 'all')
                );
                insert into candidate.{mart} (publication_id, value)
                select {build_id}, {build_id} from generate_series(1, {rows_of(build_id)});
                alter table candidate.{mart}
                add constraint publication_is_constant check (publication_id = {build_id});
                """
            )
        with connect(settings, Role.GATE) as gate:
            gate.execute(
                "insert into audit.gate_run (build_id, verdict, checks_declared, checks_evaluated, critical_failed,"
                " warning_failed) values (%s, 'passed', 1, 1, 0, 0)",
                [build_id],
            )
    return build_id


def act(settings: Settings, chance: random.Random) -> None:
    """Publish something new, or go back to something old; what another publisher is ahead of is left alone."""
    try:
        if chance.random() < 0.75:
            build_id = build(settings)
            if build_id is not None:
                publication.publish(settings, build_id)
        else:
            kept = publication.publications(settings)[:3]
            publication.rollback(settings, chance.choice(kept).publication_id)
    except CarehouseError:
        return


if __name__ == "__main__":
    where, luck = Settings.load(), random.Random(int(sys.argv[1]))  # noqa: S311
    while True:
        act(where, luck)
