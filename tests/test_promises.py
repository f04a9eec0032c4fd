"""What readers were promised of the marts is kept: every kind of breaking change is refused, with what to do instead."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from carehouse.build import dbt_target
from carehouse.declared_marts import PLAIN, declared
from carehouse.errors import CarehouseError
from carehouse.promise import Promise, PromiseError, breaks, read_all, today
from carehouse.promise_files import FOLDER, FOLDER_OF_VIEWS, retire, wanted
from carehouse.settings import PROJECT
from tests.conftest import Night, Warehouse

DAY = date(2026, 12, 1)
PROMISED = Promise(
    "kpi_carers",
    {
        "publication_id": "bigint not null",
        "council_code": "text not null",
        "cost_gbp": "numeric(16,2)",
        "note_label": "text",
    },
    ("council_code",),
)
CARERS = Path("dbt_project/models/marts/carers/kpi_carers.yml")
IN_TWO_VERSIONS = """
    latest_version: 2
    versions:
      - v: 1
        defined_in: kpi_carers
        deprecation_date: {last_day}
      - v: 2
        columns:
          - include: all
            exclude: [cost_gbp, advice_count]
          - name: advice_count
            data_type: integer
            description: Times that advice and information was given.
"""


def changed(**columns: str | None) -> Promise:
    """The promise with columns of other types, new ones, or (None) without them."""
    merged = {**PROMISED.columns, **columns}
    return replace(PROMISED, columns={name: kind for name, kind in merged.items() if kind is not None})


@pytest.mark.parametrize(
    ("now", "complaint"),
    [
        (changed(note_label=None), "mart.kpi_carers: column note_label was text and would be gone"),
        (changed(note_label=None, remark_label="text"), "column note_label was text and would be gone"),
        (changed(cost_gbp="text"), "column cost_gbp was numeric(16,2) and would be text"),
        (changed(cost_gbp="numeric(18,2)"), "column cost_gbp was numeric(16,2) and would be numeric(18,2)"),
        (changed(council_code="text"), "column council_code was text not null and would be text"),
        (replace(PROMISED, key=("note_label",)), "one row was told by (council_code) and would be by (note_label)"),
        (replace(PROMISED, key=()), "one row was told by (council_code) and would be by ()"),
        (
            replace(PROMISED, columns={"other_code": "text", **PROMISED.columns}),
            "columns would change places; new ones come after those that are published",
        ),
        (
            replace(PROMISED, columns=dict(reversed(PROMISED.columns.items()))),
            "columns would change places",
        ),
        (replace(PROMISED, deprecation_date=DAY + timedelta(89)), "readers have 90 days' notice"),
    ],
)
def test_each_kind_of_break_is_named_with_before_and_after(now: Promise, complaint: str) -> None:
    (said,) = breaks(PROMISED, now, DAY)
    assert complaint in said


@pytest.mark.parametrize(
    "now",
    [
        PROMISED,
        changed(other_code="text not null"),
        changed(cost_gbp="numeric(16,2) not null"),
        replace(PROMISED, deprecation_date=DAY + timedelta(90)),
    ],
    ids=["nothing", "a column more", "never empty any more", "deprecated in time"],
)
def test_what_only_adds_is_no_break(now: Promise) -> None:
    assert list(breaks(PROMISED, now, DAY)) == []


def test_a_last_day_once_announced_may_be_put_off_and_not_brought_forward() -> None:
    announced = replace(PROMISED, deprecation_date=date(2027, 6, 30))
    later, sooner = (replace(PROMISED, deprecation_date=date(2027, month, 1)) for month in (9, 5))
    assert list(breaks(announced, later, date(2027, 6, 1))) == []
    assert list(breaks(announced, PROMISED, date(2027, 6, 1))) == []
    assert "was to stay until 2027-06-30 and would go after 2027-05-01" in next(breaks(announced, sooner, DAY))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the checks read of the project."""
    for folder in ("dbt_project", "carehouse", "ingestion", "expectations", "docs"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "target"))
    return tmp_path


def edit(project: Path, file: Path, before: str, after: str) -> None:
    """Change one place of a file."""
    text = (project / file).read_text(encoding="utf-8")
    assert before in text
    (project / file).write_text(text.replace(before, after, 1), encoding="utf-8")


def contracts(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `carehouse contracts …` of the copy."""
    return subprocess.run(
        [sys.executable, "-m", "carehouse", "contracts", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def in_two_versions(project: Path, last_day: date) -> None:
    """Put a second version of kpi_carers beside the first: without its cost, and with a count of another type."""
    model = project / CARERS
    model.write_text(model.read_text(encoding="utf-8").rstrip() + IN_TWO_VERSIONS.format(last_day=last_day))
    query = model.with_suffix(".sql").read_text(encoding="utf-8")
    model.with_name("kpi_carers_v2.sql").write_text(query)


def record(project: Path, on: date = DAY) -> None:
    """Write the record as `carehouse contracts render` does."""
    for path, text in wanted(project, on).items():
        path.write_text(text, encoding="utf-8")


def test_the_record_is_of_every_mart_and_says_what_dbt_declares() -> None:
    recorded = read_all(PROJECT / FOLDER)
    assert len(recorded) > 75
    assert {name: mart.promise for name, mart in declared(PROJECT).items()} == recorded


def test_the_command_refuses_a_break_and_writes_nothing(project: Path) -> None:
    before = (project / FOLDER / "kpi_carers.yml").read_text()
    edit(
        project, CARERS, "name: payment_count\n        data_type: bigint", "name: paid_count\n        data_type: bigint"
    )
    edit(project, CARERS, "numeric(16,2)", "numeric(14,2)")
    for command in ("check", "render"):
        ran = contracts(project, command)
        assert ran.returncode == 1
        assert "mart.kpi_carers: column payment_count was bigint not null and would be gone" in ran.stderr
        assert "cost_gbp was numeric(16,2) not null and would be numeric(14,2) not null" in ran.stderr
        assert "docs/how-to/change-a-published-mart.md" in ran.stderr
    assert (project / FOLDER / "kpi_carers.yml").read_text() == before


def test_a_column_more_is_out_of_date_until_it_is_recorded(project: Path) -> None:
    (project / CARERS).write_text(
        (project / CARERS).read_text().rstrip() + "\n      - name: other_code\n        data_type: text\n"
        "        description: Another.\n"
    )
    assert "dbt_project/published/kpi_carers.yml. Run: carehouse contracts render" in contracts(project, "check").stderr
    assert contracts(project, "render").returncode == 0
    assert contracts(project, "check").returncode == 0
    assert (project / FOLDER / "kpi_carers.yml").read_text().endswith("\n  other_code: text\n")


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("data_type: numeric(16,2)", "data_type: numeric", "cost_gbp is numeric, which not every reader's tool"),
        ("data_type: numeric(16,2)", "data_type: numeric(38,20)", "cost_gbp is numeric(38,20), which not every"),
        ("data_type: numeric(16,2)", "data_type: text[]", "cost_gbp is text[], which not every reader's tool"),
        ("data_type: numeric(16,2)", "data_type: jsonb", "cost_gbp is jsonb, which not every reader's tool"),
        ("        description: Payments.\n", "", "column payment_count has no description"),
        ("one_row_is: one month end of one council", "owner: nobody", "does not say what one row is"),
        ("name: data_status_code", "name: status_code", "mart.kpi_carers holds figures and lacks data_status_code"),
    ],
)
def test_what_may_not_be_published_is_refused_before_it_is_built(
    project: Path, before: str, after: str, complaint: str
) -> None:
    edit(project, CARERS, before, after)
    with pytest.raises(PromiseError) as refused:
        wanted(project)
    assert complaint in str(refused.value)


def test_plain_types_are_the_same_for_the_check_and_for_publication(warehouse: Warehouse) -> None:
    kinds = ["text", "bigint", "integer", "date", "timestamptz", "boolean", "numeric(28,12)", "numeric(29,2)"]
    kinds += ["numeric", "json", "uuid", "smallint", "double precision", "timestamp", "varchar(3)", "text[]"]
    for kind in kinds:
        with warehouse.admin() as admin:
            admin.execute(f"create temporary table tried (it {kind})")  # type: ignore[arg-type]
            (is_plain,) = admin.execute(
                "select store.is_plain(atttypid, atttypmod) from pg_attribute "
                "where attrelid = 'tried'::regclass and attname = 'it'"
            ).fetchone() or (None,)
        found = PLAIN.fullmatch(kind)
        assert is_plain == bool(found and int(found["digits"] or 0) <= 28), kind


def test_a_mart_is_not_taken_away_before_its_announced_day_is_over(project: Path) -> None:
    (project / CARERS).unlink()
    _refused(project, "mart.kpi_carers: would be gone, and no day was announced after which it goes")
    with pytest.raises(PromiseError, match="no day was announced"):
        retire(project, "kpi_carers", DAY)


def _refused(project: Path, complaint: str, on: date = DAY) -> None:
    with pytest.raises(PromiseError) as refused:
        wanted(project, on)
    assert complaint in str(refused.value)


def test_a_version_is_announced_stands_beside_the_new_one_and_is_retired_after_its_day(project: Path) -> None:
    last_day = DAY + timedelta(90)
    in_two_versions(project, last_day)
    record(project)
    recorded = read_all(project / FOLDER)
    assert recorded["kpi_carers"].deprecation_date == last_day
    assert recorded["kpi_carers"].columns["advice_count"] == "bigint not null"
    assert recorded["kpi_carers_v2"].deprecation_date is None
    assert "cost_gbp" not in recorded["kpi_carers_v2"].columns
    assert recorded["kpi_carers_v2"].columns["advice_count"] == "integer"

    with pytest.raises(PromiseError, match="still declared"):
        retire(project, "kpi_carers", last_day + timedelta(1))
    edit(project, CARERS, f"      - v: 1\n        defined_in: kpi_carers\n        deprecation_date: {last_day}\n", "")
    _refused(project, f"mart.kpi_carers: would be gone, and was to stay until {last_day}", last_day)
    with pytest.raises(PromiseError, match=f"was to stay until {last_day}"):
        retire(project, "kpi_carers", last_day)
    _refused(project, "take back its promise: carehouse contracts retire kpi_carers", last_day + timedelta(1))
    assert retire(project, "kpi_carers", last_day + timedelta(1)) == project / FOLDER / "kpi_carers.yml"
    record(project, last_day + timedelta(1))
    assert set(read_all(project / FOLDER)) == set(recorded) - {"kpi_carers"}


@pytest.mark.any_server
def test_dbt_reads_the_marts_as_we_do(night: Night) -> None:
    manifest = json.loads((dbt_target(night.warehouse.settings) / "manifest.json").read_text())
    assert len(_compared(manifest, PROJECT)) > 75


def test_dbt_reads_versions_as_we_do(project: Path) -> None:
    """Of one mart, since dbt takes long to read them all."""
    in_two_versions(project, today() + timedelta(365))
    models = project / "dbt_project" / "models"
    for path in [*models.rglob("*.sql"), *models.rglob("*.yml")]:
        if not path.name.startswith("kpi_carers"):
            path.unlink()
        elif path.suffix == ".sql":
            path.write_text("select 1 as publication_id\n")
    shutil.rmtree(project / "dbt_project" / "seeds")
    shutil.rmtree(project / "dbt_project" / "tests")
    nowhere = dict.fromkeys((f"CAREHOUSE_DBT_{each}" for each in ("HOST", "USER", "PASSWORD", "DATABASE")), "none")
    options = '{"error": "all", "silence": ["UnusedResourceConfigPath"]}'
    parsed = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "--warn-error-options", options, "parse"],
        cwd=project / "dbt_project",
        env={
            **os.environ,
            **nowhere,
            "CAREHOUSE_DBT_PORT": "0",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_TARGET_PATH": str(project / "target"),
            "DBT_LOG_PATH": str(project / "logs"),
            "DBT_PROFILES_DIR": str(project / "dbt_project"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert parsed.returncode == 0, parsed.stdout
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    assert _compared(manifest, project) == {"kpi_carers", "kpi_carers_v2"}


def _compared(manifest: dict[str, Any], project: Path) -> set[str]:
    """Compare what dbt read with what we read of the same project; give the marts compared."""
    marts = {
        node["alias"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "candidate"
    }
    ours = declared(project)
    assert set(marts) == set(ours)
    for name, node in marts.items():
        promise, columns = ours[name].promise, node["columns"].values()
        assert promise.columns == {
            column["name"]: column["data_type"].replace(" ", "")
            + (" not null" if "not_null" in [rule["type"] for rule in column["constraints"]] else "")
            for column in columns
        }, name
        keys = [tuple(rule["columns"]) for rule in node["constraints"] if rule["type"] == "primary_key"]
        assert keys == ([promise.key] if promise.key else []), name
    return set(marts)


def test_a_version_that_goes_says_until_when_and_what_replaces_it() -> None:
    (source,) = (PROJECT / "dbt_project" / "macros").glob("described.sql")
    old = {"resource_type": "model", "name": "kpi_carers", "alias": "kpi_carers", "version": 1, "latest_version": 2}
    new = {**old, "alias": "kpi_carers_v2", "version": 2}
    told = {"description": "What  it\nholds.", "config": {"meta": {"one_row_is": "one month"}}}
    said: list[str] = []
    # A template of SQL: nothing here is ever shown in a browser.
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701
    environment.globals.update({"graph": {"nodes": {"a": old, "b": new}}, "return": said.append})
    macro = environment.from_string(source.read_text().replace("{{ return(", "{{ say(").split("{# Publication")[0])
    environment.globals["say"] = said.append
    module = macro.make_module()
    module.described({**old, **told, "deprecation_date": "2030-06-30T00:00:00+00:00"})  # type: ignore[attr-defined]
    module.described({**new, **told})  # type: ignore[attr-defined]
    assert said == [
        "What it holds.\n\nOne row is one month.\n"
        "Deprecated: read mart.kpi_carers_v2 instead; it goes after 2030-06-30.",
        "What it holds.\n\nOne row is one month.",
    ]


def test_an_edited_record_is_held_against_the_last_release(project: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(project), *identity, *arguments], check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "dbt_project/published", "carehouse/sql/published")
    git("commit", "--quiet", "-m", "Release")
    (project / FOLDER / "kpi_carers.yml").unlink()
    edit(project, CARERS, "numeric(16,2)", "numeric(14,2)")
    # Before the first release nobody was promised anything.
    record(project)
    git("tag", "v1.0.0", "HEAD")
    complaint = "mart.kpi_carers: column cost_gbp was numeric(16,2) not null and would be numeric(14,2) not null"
    _refused(project, complaint)
    assert complaint in contracts(project, "check").stderr
    edit(project, CARERS, "numeric(14,2)", "numeric(16,2)")
    (project / FOLDER / "kpi_carers.yml").unlink()
    git("checkout", "--", "dbt_project/published")
    edit(project, FOLDER_OF_VIEWS / "publication.yml", "  code_version: text\n", "")
    _refused(project, "mart.publication: column code_version was text and would be gone")


def test_views_made_in_sql_are_as_recorded(warehouse: Warehouse) -> None:
    columns = warehouse.rows(
        "select mart_name, column_name, replace(column_type, 'timestamp with time zone', 'timestamptz') "
        "from mart.data_dictionary order by mart_name, column_position"
    )
    shown: dict[str, dict[str, str]] = {}
    for mart, column, kind in columns:
        shown.setdefault(mart, {})[column] = kind
    recorded = read_all(PROJECT / FOLDER_OF_VIEWS)
    assert shown == {name: dict(promise.columns) for name, promise in recorded.items()}


def test_functions_for_readers_are_as_promised(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) from pg_proc "
        "where pronamespace = 'mart'::regnamespace"
    ) == [
        (
            "source_rows(wanted_fact text, wanted_council text, wanted_keys text[]) TABLE(fact_key text, "
            "source_table text, source_key text, known_from_date date, batch_id bigint, extract_date date, "
            "file_name text, line_number integer, content_sha256 text)",
        )
    ]


def test_a_damaged_record_is_named(project: Path) -> None:
    (project / FOLDER / "kpi_carers.yml").write_text("columns: {}\n")
    with pytest.raises(CarehouseError, match=r"kpi_carers\.yml is not a promise"):
        wanted(project)
    assert yaml.safe_load((PROJECT / FOLDER / "kpi_carers.yml").read_text())["key"]
