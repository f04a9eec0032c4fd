"""A person's decision about what the gate judged: to publish what it refused, or to hold what it passed."""

from typing import Literal

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings

SHORTEST_REASON = 10


def release(settings: Settings, build_id: int | None, because: str, by: str) -> int:
    """Let a refused build be published, for a reason that is kept for ever; give its id.

    It is about the latest judgement of the build (the latest build unless `build_id` is given): judged anew, it
    needs a new decision. Publication itself stays a step of its own.

    Raises:
        CarehouseError: there is no such judgement, the gate has passed it anyway, or no reason or name is given.
    """
    return _decide(settings, build_id, "released", because, by)


def hold(settings: Settings, build_id: int | None, because: str, by: str) -> int:
    """Keep a judged build from being published, whatever the gate said, until it is released; give its id.

    What readers see already is not taken from them by this: go back with `carehouse rollback`.

    Raises:
        CarehouseError: there is no such judgement, or no reason or name is given.
    """
    return _decide(settings, build_id, "held", because, by)


def _decide(
    settings: Settings, build_id: int | None, decision: Literal["released", "held"], because: str, by: str
) -> int:
    if len(because.strip()) < SHORTEST_REASON or not by.strip():
        raise CarehouseError("Say who decides and why, in words that others will understand later: --by, --because.")
    with connect(settings, Role.APPROVER) as approver:
        found = approver.execute(
            """
            select
                judged.gate_run_id,
                judged.build_id,
                judged.verdict,
                (
                    select decided.decision_code
                    from audit.gate_decision as decided
                    where decided.gate_run_id = judged.gate_run_id
                    order by decided.gate_decision_id desc
                    limit 1
                )
            from audit.gate_run as judged
            where judged.build_id = coalesce(%s, (select max(build_id) from audit.build))
            order by judged.gate_run_id desc
            limit 1
            """,
            [build_id],
        ).fetchone()
        if found is None:
            raise CarehouseError("The gate has not judged that build. Judge it first: carehouse gate")
        gate_run_id, judged_build, verdict, decided_before = found
        if decision == "released" and verdict == "passed" and decided_before != "held":
            raise CarehouseError(f"The gate passed build {judged_build}: there is nothing to release.")
        approver.execute(
            "insert into audit.gate_decision (gate_run_id, decision_code, because, decided_by) values (%s, %s, %s, %s)",
            [gate_run_id, decision, because.strip(), by.strip()],
        )
    say(f"build {judged_build} is {decision}")
    return int(judged_build)
