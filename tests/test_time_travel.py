"""A build as at a day gives what a warehouse that had stopped on that day would have given, whatever came later."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from carehouse.build import build
from carehouse.database import Role, connect, url
from carehouse.publication import publish
from carehouse.settings import PROJECT, Settings
from ingestion.landing import ingest
from ingestion.synth import write_extracts
from ingestion.withdrawal import withdraw
from tests import read_project
from tests.conftest import Warehouse, fresh_warehouse, give_rights_on_database
from tests.test_publication import judge

COUNCIL = "exampleshire"
NIGHTS = [date(2018, month, day) for month, day in ((5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31))]
STOPPED_ON = NIGHTS[2]
# What later nights cannot leave as it was, and how many of its versions they began and ended.
MOVED_LATER = ("mosaic__workflow_steps", "mosaic__service_elements", "mosaic__persons", "programme__savings_claims")
LATER_CHANGES = (
    f"select count(*) filter (where known_from > '{STOPPED_ON}'), count(*) filter (where known_to > '{STOPPED_ON}') "
    "from history.{}"
)


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Extracts of six nights: work typed in late, steps reopened, prices put right, records merged and parted again."""
    folder = tmp_path_factory.mktemp("extracts")
    write_extracts(folder, COUNCIL, 300, date(2016, 4, 1), NIGHTS[-1], 11, nights=NIGHTS)
    return folder / COUNCIL


@pytest.mark.any_server
def test_a_build_as_at_a_day_knows_nothing_that_came_later(
    server: Settings, extracts: Path, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with fresh_warehouse(server, tmp_path / "stopped") as stopped:
        read_project.hand_over(stopped.settings)
        for night in NIGHTS[:3]:
            _night(stopped, extracts, night)
            if night == NIGHTS[1]:
                _publish(stopped, night)
        with _copy(server, stopped, tmp_path / "went_on") as went_on:
            for night in NIGHTS[3:]:
                _night(went_on, extracts, night)
            # Had the later nights ended and begun nothing, this would prove nothing.
            for table in MOVED_LATER:
                ((began, ended),) = went_on.rows(LATER_CHANGES.format(table))
                assert began > 0 and ended > 0, table
            _lay_rows_elsewhere(went_on)

            read_project.keep(stopped.settings)
            read_project.hand_over(went_on.settings)
            assert build(went_on.settings, STOPPED_ON) == build(stopped.settings, STOPPED_ON)

            tables = _candidate_tables(stopped)
            assert tables == _candidate_tables(went_on)
            for table in tables:
                with subtests.test(table):
                    # How many rows differ, never which: they are about people, invented or not.
                    only_here, only_there = _differences(stopped, went_on, table)
                    assert (only_here, only_there) == (0, 0)
            assert sum(stopped.rows(f"select count(*) from candidate.{table}") > [(0,)] for table in tables) > 10


@contextmanager
def _copy(server: Settings, original: Warehouse, home: Path) -> Iterator[Warehouse]:
    """A second warehouse that knows what the first knows, so that both go on from the same night."""
    with fresh_warehouse(server, home) as copy:
        shutil.copy(original.settings.home / "secrets.json", home)
        names = [conninfo_to_dict(url(each.settings, Role.ADMIN))["dbname"] for each in (copy, original)]
        with connect(server, Role.ADMIN, autocommit=True, database="postgres") as admin:
            for statement in ("drop database {0} with (force)", "create database {0} template {1}"):
                admin.execute(sql.SQL(statement).format(*map(sql.Identifier, map(str, names))))
        give_rights_on_database(copy.settings)
        yield copy


def _night(warehouse: Warehouse, extracts: Path, night: date) -> None:
    """Deliver one night, with what goes wrong in it: what is late, what is withdrawn, what comes twice."""
    settings = warehouse.settings
    if night == NIGHTS[2]:
        # Believed for a month, and withdrawn before the day that is built.
        _withdraw(warehouse, "mosaic", "carers", night)
    # A snapshot that comes when a later one is loaded, a feed that comes after the next, and both in good time.
    late = {
        ("mosaic/contacts", NIGHTS[1]): NIGHTS[2],
        ("mosaic/form_answers", NIGHTS[1]): NIGHTS[3],
        ("mosaic/service_elements", NIGHTS[2]): NIGHTS[4],
    }
    tonight = [path for path in extracts.glob(f"*/*_{night}.csv") if (_table(path), night) not in late]
    for path in tonight:
        warehouse.land(f"{COUNCIL}/{path.parent.name}/{path.name}", path.read_bytes())
    ingest(settings, business_date=night)
    for (table, of), comes in late.items():
        if comes == night:
            name = f"{table}_{of}.csv"
            warehouse.land(f"{COUNCIL}/{name}", (extracts / name).read_bytes())
    if night == NIGHTS[2]:
        _withdraw(warehouse, "mosaic", "short_term_episodes", night)
        again = f"mosaic/short_term_episodes_{night}.csv"
        warehouse.land(f"{COUNCIL}/{again}", (extracts / again).read_bytes())
    if night == NIGHTS[3]:
        for table in ("persons", "placements", "person_merges"):
            _withdraw(warehouse, "mosaic", table, night)
    ingest(settings, business_date=night)


def _table(path: Path) -> str:
    return f"{path.parent.name}/{path.stem.rpartition('_')[0]}"


def _withdraw(warehouse: Warehouse, source: str, table: str, night: date) -> None:
    ((batch,),) = warehouse.rows(
        "select max(batch_id) from audit.batch "
        f"where state = 'accepted' and source_name = '{source}' and table_name = '{table}' and withdrawn_on is null"
    )
    withdraw(warehouse.settings, batch, "tester", "tried", night)


def _publish(warehouse: Warehouse, night: date) -> None:
    build_id = build(warehouse.settings, night)
    judge(warehouse, build_id)
    publish(warehouse.settings, build_id)


def _lay_rows_elsewhere(warehouse: Warehouse) -> None:
    """Rewrite half of all rows where there is room: no figure may hang on the order in which rows lie."""
    tables = warehouse.rows(
        "select relname from pg_class where relnamespace = 'history'::regnamespace and relkind = 'r'"
    )
    with warehouse.admin() as admin:
        for (table,) in tables:
            admin.execute(f"update history.{table} set source_line = source_line where hashtext(ctid::text) % 2 = 0")


def _candidate_tables(warehouse: Warehouse) -> list[str]:
    return [
        table
        for (table,) in warehouse.rows(
            "select relname from pg_class "
            "where relnamespace = 'candidate'::regnamespace and relkind = 'r' order by relname"
        )
    ]


def _differences(here: Warehouse, there: Warehouse, table: str) -> tuple[int, int]:
    """How many rows of a candidate table are in one warehouse only, each as often as it occurs more there."""
    rows = [
        Counter(row for (row,) in each.rows(f"select md5(made::text) from candidate.{table} as made"))
        for each in (here, there)
    ]
    return (rows[0] - rows[1]).total(), (rows[1] - rows[0]).total()


def test_history_is_read_only_as_it_was_known() -> None:
    models = PROJECT / "dbt_project" / "models"
    reading = {path: path.read_text() for path in models.rglob("*.sql") if "source(" in path.read_text()}
    assert len(reading) > 50
    # The build itself is no knowledge of a source.
    careless = [
        path.name
        for path, query in reading.items()
        if not re.search(r"known_at\(source\(|known_(from|on) <= \{\{ as_at\(\) \}\}", query)
        and path.stem != "stg_audit__this_build"
    ]
    assert careless == []
    assert {path.relative_to(models).parts[0] for path in reading} == {"staging"}
    clocks = re.compile(r"current_date|current_timestamp|clock_timestamp|\bnow\(\)", re.IGNORECASE)
    dated = [path for folder in ("models", "macros") for path in (PROJECT / "dbt_project" / folder).rglob("*.sql")]
    assert [path.name for path in dated if clocks.search(path.read_text())] == []
