"""How dbt makes tables here: in place, whole or not at all, and with what a mart promises held by the database."""

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from carehouse.build import dbt_environment, dbt_target
from carehouse.database import Role, connect
from tests.conftest import Warehouse

PROJECT = """
name: trial
profile: carehouse
model-paths: [models]
macro-paths: ["{macros}"]
models:
  trial:
    +materialized: table
    marts:
      +contract: {{enforced: true}}
      +persist_docs: {{relation: true, columns: true}}
"""
MARTS = """
models:
{models}
"""
MART = """
  - name: {name}
    description: A trial.
    constraints: [{{type: primary_key, columns: [council_code, place]}}]
    columns:
      - {{name: publication_id, data_type: bigint, description: Number., constraints: [{{type: not_null}}]}}
      - {{name: council_code, data_type: text, description: Council., constraints: [{{type: not_null}}]}}
      - {{name: place, data_type: integer, description: Place., constraints: [{{type: not_null}}]}}
      - {{name: amount_gbp, data_type: "numeric(8,2)", description: Amount., constraints: [{{type: not_null}}]}}
"""
ROW = "select {{{{ publication_id() }}}} as publication_id, {council} as council_code, {place} as place, {amount} as amount_gbp"


@pytest.mark.any_server
def test_a_mart_keeps_its_promises_or_has_no_seal(warehouse: Warehouse, tmp_path: Path) -> None:
    models = {
        "whole": ROW.format(council="'county'", place=1, amount="12.3"),
        "a_null": ROW.format(council="'county'", place=1, amount="null::numeric"),
        "another_type": ROW.format(council="'county'", place=1, amount="'1'::text"),
        "of_nobody": ROW.format(council="'all'", place=1, amount="1.5"),
        "twice": " union all ".join([ROW.format(council="'county'", place=1, amount="1.5")] * 2),
        "a_column_less": "select {{ publication_id() }} as publication_id, 'county' as council_code, 1 as place",
    }
    project = tmp_path / "trial"
    (project / "models" / "marts").mkdir(parents=True)
    macros = warehouse.settings.project / "dbt_project" / "macros"
    (project / "dbt_project.yml").write_text(PROJECT.format(macros=macros))
    (project / "models" / "marts" / "marts.yml").write_text(
        MARTS.format(models="".join(MART.format(name=name) for name in models))
    )
    for name, query in models.items():
        (project / "models" / "marts" / f"{name}.sql").write_text(query)
    (project / "models" / "indexed.sql").write_text("{{ config(indexes=[{'columns': ['one']}]) }} select 1 as one")
    (project / "models" / "plain.sql").write_text("select 2 as two")
    with connect(warehouse.settings, Role.BUILDER) as builder:
        builder.execute("create view staging.whole as select 'before' as was")
        builder.execute("create view staging.plain as select 'before' as was")
        builder.execute("create view staging.reads_plain as select * from staging.plain")
        builder.execute("create table staging.another_type as select 'before' as was")

    ran = subprocess.run(
        [sys.executable, "-m", "carehouse.dbt_process", "run", "--no-write-json", "--project-dir", str(project)],
        env=dbt_environment(warehouse.settings, date(2018, 10, 31), 7),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1, ran.stdout
    results = json.loads((dbt_target(warehouse.settings) / "run_results.json").read_text())["results"]
    said = {result["unique_id"].removeprefix("model.trial."): result["message"] for result in results}
    assert said.keys() == {*models, "indexed", "plain"}
    assert said.pop("whole") == said.pop("plain") == "SELECT 1"
    assert "contains null values" in said["a_null"]
    assert "contract" in said["another_type"] and "contract" in said["a_column_less"]
    assert "whose_rows" in said["of_nobody"]
    assert "could not create unique index" in said["twice"]
    assert "indexes of a model are not supported" in said["indexed"]
    assert warehouse.rows("select * from staging.whole") == [(7, "county", 1, Decimal("12.30"))]
    # What dbt sees at once leaves what was there; what the rows show leaves a mart without its seal.
    assert warehouse.rows("select was from staging.another_type") == [("before",)]
    sealed = "select conrelid::regclass::text from pg_constraint where conname = 'whose_rows'"
    assert warehouse.rows(f"{sealed} and connamespace = 'staging'::regnamespace") == [("staging.whole",)]
    # What read the view that gave way would read nothing.
    assert warehouse.rows("select to_regclass('staging.reads_plain')") == [(None,)]
    assert warehouse.rows(
        """
        select col_description(attrelid, attnum), format_type(atttypid, atttypmod), attnotnull
        from pg_attribute where attrelid = 'staging.whole'::regclass and attname = 'amount_gbp'
        """
    ) == [("Amount.", "numeric(8,2)", True)]
    assert warehouse.rows("select reltuples from pg_class where oid = 'staging.whole'::regclass") == [(1,)]
