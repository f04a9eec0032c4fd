"""dbt says what it always says, and describes only the steps that somebody hears of."""

import re
import subprocess
import sys

import pytest

# `told` says on stderr that it was put into a message.
TELLS = """
import sys
from dbt.adapters.events.types import AdapterEventDebug, AdapterEventInfo
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import add_logger_to_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.logger import LoggerConfig

class Told(str):
    def __str__(self):
        print(f"described: {self!r}", file=sys.stderr)
        return self.upper()

if sys.argv[1] == "when heard":
    from carehouse.dbt_messages import put_together_when_heard
    put_together_when_heard()
add_logger_to_manager(LoggerConfig(name="test", level=EventLevel(sys.argv[2]), output_stream=sys.stdout))
fire_event(AdapterEventDebug(base_msg=Told("a step")))
fire_event(AdapterEventInfo(base_msg=Told("a result")))
fire_event(AdapterEventDebug(base_msg=Told("a step of weight")), level=EventLevel.WARN)
kept = AdapterEventDebug(base_msg=Told("a step kept"))
print(kept.base_msg, kept.base_msg, kept.level_tag().value)
"""


def say(when: str, level: str) -> tuple[list[str], list[str]]:
    """Give the lines that were said, and those that tell what was described. Times are left out."""
    ran = subprocess.run([sys.executable, "-c", TELLS, when, level], capture_output=True, text=True, check=True)
    lines = [re.sub(r"\d\d:\d\d:\d\d(\.\d+)?", "", line) for line in ran.stdout.splitlines()]
    return lines, [line for line in ran.stderr.splitlines() if line.startswith("described")]


@pytest.mark.parametrize("level", ["debug", "info", "warn"])
def test_what_is_heard_is_the_same(level: str) -> None:
    heard, _ = say("when heard", level)
    assert heard == say("always", level)[0]
    assert heard[-1] == "A STEP KEPT A STEP KEPT debug"
    assert any("A STEP OF WEIGHT" in line for line in heard)


def test_what_nobody_hears_is_not_described() -> None:
    steps = [f"described: '{step}'" for step in ("a step", "a result", "a step of weight", "a step kept")]
    assert say("always", "info")[1] == steps
    assert say("when heard", "info")[1] == steps[1:]
    assert say("when heard", "debug")[1] == steps
