"""What a publication records of itself: what it was built from, by what, judged how, and by whose word shown."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from carehouse.asking import asked_by
from carehouse.build import _dbt_run, dbt_target
from carehouse.database import Role, connect
from carehouse.publication import publications, publish, rollback
from carehouse.settings import Settings
from tests.conftest import Night, Warehouse
from tests.test_publication import build, judge, published

RUN = {"AIRFLOW_CTX_DAG_ID": "build_gate_publish", "AIRFLOW_CTX_DAG_RUN_ID": "scheduled__2018-11-01"}


def test_a_person_or_a_dag_run_has_the_command_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_by(RUN) == "Airflow: build_gate_publish, run scheduled__2018-11-01"
    monkeypatch.setenv("LOGNAME", "ann")
    assert asked_by({}) == "ann"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError

    monkeypatch.setattr("carehouse.asking.getuser", unknown)
    assert re.fullmatch(r"user number \d+", asked_by({}))


def test_the_run_of_dbt_is_the_one_its_results_name(tmp_path: Path) -> None:
    settings = Settings.load({"CAREHOUSE_HOME": str(tmp_path)})
    assert _dbt_run(settings) == (None, None)
    metadata = {"dbt_version": "1.11.16", "invocation_id": "c1c7f41f-5260-4dd2-827d-655122a8d016"}
    dbt_target(settings).mkdir(parents=True)
    (dbt_target(settings) / "run_results.json").write_text(json.dumps({"metadata": metadata, "results": []}))
    assert _dbt_run(settings) == ("1.11.16", "c1c7f41f-5260-4dd2-827d-655122a8d016")


def test_a_night_records_the_run_of_dbt_and_who_had_it_run(night: Night) -> None:
    ran = json.loads(night.dbt_results.read_text())["metadata"]
    (recorded,) = night.warehouse.rows(
        "select dbt_invocation_id, dbt_version, built_for, published_for, published_by, gate_verdict, "
        "checks_evaluated = checks_declared, critical_failed, released_by, built_at < judged_at, "
        "judged_at < published_at from mart.publication where is_current",
        Role.READER,
    )
    assert recorded[:2] == (ran["invocation_id"], ran["dbt_version"])
    assert ran["dbt_version"] == version("dbt-core")
    assert recorded[2] and recorded[2] == recorded[3]
    assert recorded[4:] == ("carehouse_publisher", "passed", True, 0, None, True, True)


def test_a_night_records_the_newest_delivery_of_each_table(night: Night) -> None:
    recorded = night.warehouse.rows(
        "select batch_id, content_sha256, row_count, rejected_row_count from mart.publication_batches "
        "where publication_id = (select publication_id from mart.publication where is_current) order by batch_id",
        Role.READER,
    )
    newest = night.warehouse.rows(
        "select distinct on (council_code, source_name, table_name) batch_id, content_sha256, rows_in, rows_rejected "
        "from audit.batch where state = 'accepted' "
        "order by council_code, source_name, table_name, batch_id desc"
    )
    assert len(recorded) > 60
    assert recorded == sorted(newest)


def test_what_airflow_publishes_names_the_run_and_a_person_who_rolls_back_is_named(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
    first = published(warehouse)
    published(warehouse)
    for name in RUN:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOGNAME", "ann")
    rollback(warehouse.settings)
    run = "Airflow: build_gate_publish, run scheduled__2018-11-01"
    assert [(each.published_for, each.is_current) for each in publications(warehouse.settings)] == [
        (run, False),
        (run, True),
    ]
    moves = warehouse.rows(
        "select to_publication_id, reason, asked_by from store.pointer_move order by moved_at", Role.AUDITOR
    )
    assert moves[0] == (first, "published", run)
    assert moves[-1] == (first, "rolled back", "ann")


def test_the_list_says_who_released_what_the_gate_refused(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id, "refused")
    with connect(warehouse.settings, Role.APPROVER) as approver:
        approver.execute(
            "insert into audit.gate_decision (gate_run_id, decision_code, because, decided_by) "
            "select max(gate_run_id), 'released', 'known and explained', 'the director' from audit.gate_run"
        )
    publish(warehouse.settings, build_id)
    listed = warehouse.command("publications")
    assert re.search(rf"^\* +{build_id}  .* gate refused, released by the director  code test$", listed.stdout, re.M)
