"""Building every mart, against the same SQL through psql: the models in dbt's order, their keys and statistics, and the
data tests.

dbt does besides: starts, reads what it kept of the project and loads the seeds; `carehouse build` keeps the audit
ledger. psql runs one statement after another; dbt runs four at a time. What dbt takes for as many models of one line
is what no SQL can make quicker.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from benchmarks.child import run
from benchmarks.figures import Comparison, Options
from benchmarks.inputs import AS_AT, land_night
from benchmarks.scratch import Warehouse, scratch_server, warehouse
from benchmarks.slowest import slowest_model
from carehouse import embedded
from carehouse.build import dbt_environment, dbt_target
from carehouse.database import Role, url
from carehouse.progress import say

NEVER_PUBLISHED = 0
# Building so many takes minutes, and a second look tells no more.
MANY_PEOPLE = 100_000
# Made as the project's own tables are, by its macros.
IDLE_PROJECT = """
name: idle
profile: carehouse
model-paths: [models]
macro-paths: ["{macros}"]
models: {{idle: {{+schema: intermediate, +materialized: table}}}}
"""


def measure(options: Options) -> Iterator[Comparison]:
    """Time `carehouse build` and `dbt build` for each number of people, and what a source row takes.

    Of the largest number, the plan of the model that took longest is told.
    """
    growth: list[Comparison] = []
    with scratch_server() as home:
        for people in options.people:
            with warehouse(home) as fresh:
                size, rows = _prepare(fresh, people)
                lines = _measure(fresh, size, options.rounds if people < MANY_PEOPLE else 1)
                yield from lines
                if not growth:
                    yield from _whatever_the_rows(fresh, lines[0])
                row = Comparison("build", "dbt build, a source row", size, "their SQL through psql", "µs")
                for ours, bare in zip(lines[1].ours, lines[1].bare, strict=True):
                    row.add(ours / rows * 1e6, bare / rows * 1e6)
                growth.append(row)
                if people == max(options.people):
                    say("\n".join(slowest_model(fresh)))
    yield from growth


def _prepare(fresh: Warehouse, people: int) -> tuple[str, int]:
    """Load a night and build it once; give its size in words and in source rows."""
    land_night(fresh, people)
    fresh.command("ingest", "--business-date", AS_AT)
    # The first build compiles the SQL, and makes the tables whose keys the bare side repeats.
    fresh.command("build", "--as-at", AS_AT)
    rows = _source_rows(fresh)
    return f"{people:,} people, {rows:,} source rows", rows


def _measure(fresh: Warehouse, size: str, rounds: int) -> list[Comparison]:
    script = fresh.settings.home / "bare.sql"
    script.write_text("\n".join(_statements(fresh)))
    project, target = fresh.settings.project / "dbt_project", dbt_target(fresh.settings)
    whole = Comparison("build", "carehouse build", size, "their SQL through psql")
    build = Comparison("build", "dbt build: seeds, models, data tests", size, "their SQL through psql")
    for number in range(1, rounds + 1):
        say(f"build: {size}, round {number} of {rounds}")
        fresh.settle()
        ours = fresh.command("build", "--as-at", AS_AT).seconds
        bare = _psql(fresh, script)
        whole.add(ours, bare)
        fresh.settle()
        build.add(_dbt(fresh, project, target, "build", "--exclude-resource-type", "unit_test"), bare)
    return [whole, build]


def _whatever_the_rows(fresh: Warehouse, whole: Comparison) -> tuple[Comparison, Comparison]:
    """Have dbt read the project, and build as many models as it has models, seeds and data tests, each `select 1`."""
    nodes = json.loads((dbt_target(fresh.settings) / "manifest.json").read_text())["nodes"]
    idle = fresh.settings.home / "idle"
    (idle / "models").mkdir(parents=True)
    project = fresh.settings.project / "dbt_project"
    (idle / "dbt_project.yml").write_text(IDLE_PROJECT.format(macros=project / "macros"))
    for number in range(len(nodes)):
        (idle / "models" / f"idle_{number}.sql").write_text("select 1 as one")
    parse = Comparison("build", "dbt parse: reads the project (in a release's first build)", "", "")
    floor = Comparison("build", f"dbt build of {len(nodes)} models that select 1", "", whole.against)
    # The first build reads the project.
    _dbt(fresh, idle, idle / "target", "build")
    for bare in whole.bare:
        parse.add(_dbt(fresh, project, dbt_target(fresh.settings), "parse", "--no-partial-parse"))
        fresh.settle()
        floor.add(_dbt(fresh, idle, idle / "target", "build"), bare)
    return parse, floor


def _dbt(fresh: Warehouse, project: Path, target: Path, task: str, *options: str) -> float:
    """Run dbt as `carehouse build` does, without what that does besides; give its seconds."""
    command = [sys.executable, "-m", "carehouse.dbt_process", task, *options]
    command += ["--project-dir", str(project), "--no-write-json"]
    environment = dbt_environment(fresh.settings, date.fromisoformat(AS_AT), NEVER_PUBLISHED)
    return run(command, environment | {"DBT_TARGET_PATH": str(target)}).seconds


def _psql(fresh: Warehouse, script: Path) -> float:
    fresh.settle()
    psql = embedded.programs(fresh.settings) / "psql"
    where = conninfo_to_dict(url(fresh.settings, Role.BUILDER))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environment = fresh.environment | {names[part]: str(value) for part, value in where.items()}
    return run([str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)], environment).seconds


def _statements(fresh: Warehouse) -> Iterator[str]:
    """Give the SQL that dbt ran: its models in its order, each table under its final name at once, and its tests."""
    target = dbt_target(fresh.settings)
    nodes: dict[str, dict[str, Any]] = json.loads((target / "manifest.json").read_text())["nodes"]
    models = {name: node for name, node in nodes.items() if node["resource_type"] == "model"}
    order = TopologicalSorter({name: set(node["depends_on"]["nodes"]) & set(models) for name, node in models.items()})
    keys = _keys(fresh)
    in_order = [models[name] for name in order.static_order()]
    for model in reversed(in_order):
        yield f"drop {_kind(model)} if exists {_table(model)} cascade;"
    for model in in_order:
        ran = target / "run" / model["package_name"] / model["original_file_path"]
        yield ran.read_text().rstrip().removesuffix(";") + ";"
        if _kind(model) == "table":
            yield f"analyze {_table(model)};"
        if _table(model) in keys:
            yield f"alter table {_table(model)} {', '.join(keys[_table(model)])};"
    for test in nodes.values():
        if test["resource_type"] == "test":
            compiled = (fresh.settings.project / "dbt_project" / test["compiled_path"]).read_text()
            yield f"select count(*) from (\n{compiled}\n) as rows_that_fail;"


def _kind(model: dict[str, Any]) -> str:
    return "view" if model["config"]["materialized"] == "view" else "table"


def _table(model: dict[str, Any]) -> str:
    return f"{model['schema']}.{model['name']}"


def _keys(fresh: Warehouse) -> dict[str, list[str]]:
    """Give what the build has added to each mart when it was filled: its keys, its checks and what is never empty."""
    with fresh.connect(Role.ADMIN) as admin:
        rows = admin.execute(
            """
            select
                format('%I.%I', nspname, relname),
                array_agg(format('add constraint %I %s', conname, pg_get_constraintdef(made.oid)) order by conname)
            from pg_constraint as made
            inner join pg_class on made.conrelid = pg_class.oid
            inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
            where nspname = 'candidate' and contype in ('p', 'u', 'c', 'n')
            group by nspname, relname
            """
        ).fetchall()
    return dict(rows)


def _source_rows(fresh: Warehouse) -> int:
    with fresh.connect(Role.AUDITOR) as auditor:
        ((count,),) = auditor.execute("select sum(rows_in) from audit.batch where state = 'accepted'")
    return int(count)
