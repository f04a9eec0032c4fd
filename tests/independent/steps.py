"""Work recorded about people: what it counts as, when it took place, whom it is about."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from tests.independent.extracts import Extracts
from tests.independent.people import People, Person


@dataclass(frozen=True)
class Step:
    """One workflow step with everybody it is about, each once."""

    step: int
    activity: str | None
    is_targeted: bool
    status: str
    held: date | None  # the day it counts on
    completed: date | None
    team: str | None
    people: tuple[Person, ...]
    choices: dict[str, str]  # answers chosen from a list, by question


def steps(extracts: Extracts, people: People) -> list[Step]:
    """Give all steps: "count a person of a step once, by identity and not by number" (contract of subgroup_subjects)."""
    types = {row.step_type_ref: row for row in extracts.rows("mosaic.workflow_step_types")}
    members: dict[int, set[Person]] = defaultdict(set)
    for row in extracts.rows("mosaic.subgroup_subjects"):
        person = people.of(row.person_ref)
        if person is not None:
            members[row.subgroup_ref].add(person)
    dates, choices = _answers(extracts)
    found = []
    for row in extracts.rows("mosaic.workflow_steps"):
        kind = types.get(row.step_type_ref)
        asked = (row.step_ref, kind.business_date_question if kind else None)
        found.append(
            Step(
                step=row.step_ref,
                activity=kind.activity_code if kind else None,
                is_targeted=bool(kind and kind.is_targeted_review),
                status=row.status_code,
                held=dates.get(asked) or row.completed_date,
                completed=row.completed_date,
                team=row.team_ref,
                people=tuple(sorted(members[row.subgroup_ref])),
                choices=choices[row.step_ref],
            )
        )
    return found


def _answers(extracts: Extracts) -> tuple[dict[tuple[int, str | None], date], dict[int, dict[str, str]]]:
    """Give dates by step and question and choices by step: "Where several forms of a step answer it, the form with the
    highest number counts" (contract of form_answers).
    """
    dates: dict[tuple[int, str | None], date] = {}
    choices: dict[int, dict[str, str]] = defaultdict(dict)
    for row in sorted(extracts.rows("mosaic.form_answers"), key=lambda row: row.form_ref):
        if row.date_answer is not None:
            dates[row.step_ref, row.question_code] = row.date_answer
        if row.lookup_answer is not None:
            choices[row.step_ref][row.question_code] = row.lookup_answer
    return dates, choices


def is_review(step: Step) -> bool:
    """Tell which steps are completed reviews: "Only COMPLETED counts as done" (contract of workflow_steps)."""
    return step.status == "COMPLETED" and step.activity in {"planned_review", "unplanned_review"}
