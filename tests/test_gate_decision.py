"""A person may publish what the gate refused, or hold what it passed: with a name and a reason, kept for ever."""

from collections.abc import Callable

import psycopg
import pytest

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.publication import publish
from carehouse.settings import Settings
from expectations.decision import hold, release
from tests.conftest import Warehouse
from tests.test_publication import build, judge

WHY, WHO = "The ledger's late journal is known and named.", "A. Director"


def test_a_refused_build_is_published_once_released_and_readers_are_told(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id, "refused")
    with pytest.raises(CarehouseError, match="the gate refused build"):
        publish(warehouse.settings, build_id)
    assert release(warehouse.settings, None, WHY, WHO) == build_id
    assert publish(warehouse.settings, build_id) == build_id
    told = "select gate_verdict, released_by, released_because from mart.publication"
    assert warehouse.rows(told, Role.READER) == [("refused", WHO, WHY)]
    kept = "select decision_code, decided_by, because, login_name from audit.gate_decision"
    assert warehouse.rows(kept, Role.AUDITOR) == [("released", WHO, WHY, Role.APPROVER)]


def test_a_passed_build_that_is_held_waits_for_its_release(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id)
    hold(warehouse.settings, build_id, "The director asked for a second look.", WHO)
    with pytest.raises(CarehouseError, match=f"held by {WHO}: The director asked"):
        publish(warehouse.settings, build_id)
    release(warehouse.settings, build_id, "Looked at twice, and right.", WHO)
    assert publish(warehouse.settings, build_id) == build_id


@pytest.mark.parametrize("decide", [release, hold])
def test_a_decision_is_about_one_judgement(warehouse: Warehouse, decide: Callable[..., int]) -> None:
    build_id = build(warehouse)
    judge(warehouse, build_id, "refused")
    decide(warehouse.settings, build_id, WHY, WHO)
    judge(warehouse, build_id, "refused" if decide is release else "passed")
    if decide is hold:
        assert publish(warehouse.settings, build_id) == build_id
    else:
        with pytest.raises(CarehouseError, match="the gate refused build"):
            publish(warehouse.settings, build_id)


def deciding(settings: Settings, because: str = WHY, by: str = WHO) -> None:
    release(settings, None, because, by)


def test_what_cannot_be_decided_is_said(warehouse: Warehouse) -> None:
    build_id = build(warehouse)
    with pytest.raises(CarehouseError, match="has not judged that build"):
        deciding(warehouse.settings)
    judge(warehouse, build_id)
    with pytest.raises(CarehouseError, match="there is nothing to release"):
        deciding(warehouse.settings)
    for given in ({"because": "fine"}, {"by": " "}):
        with pytest.raises(CarehouseError, match="who decides and why"):
            deciding(warehouse.settings, **given)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit.gate_decision set because = 'another reason'",
        "delete from audit.gate_decision",
        "insert into audit.gate_run (build_id, verdict) values (1, 'passed')",
        "insert into audit.gate_decision (gate_run_id, decision_code, because, decided_by, login_name)"
        " values (1, 'released', 'nobody will know me', 'X', 'postgres')",
        "select store.point(1, 'mine')",
    ],
)
def test_who_decides_can_do_nothing_else_and_not_under_another_name(warehouse: Warehouse, statement: str) -> None:
    judge(warehouse, build(warehouse), "refused")
    deciding(warehouse.settings)
    with (
        connect(warehouse.settings, Role.APPROVER) as approver,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        approver.execute(statement)  # type: ignore[call-overload]
