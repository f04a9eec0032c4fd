"""The priced services people receive, and the settings they are in."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.independent.calendar import OPEN
from tests.independent.extracts import Extracts
from tests.independent.people import People, Person


@dataclass(frozen=True)
class Service:
    """One dated row of a service of one person, ended by death at the latest."""

    person: Person
    element: int
    split: int
    kind: str
    start: date
    end: date  # OPEN while it goes on
    reason: str | None
    recorded_end: date | None
    weekly: Decimal | None
    units: Decimal | None
    unit: str | None
    frequency: str | None
    council_share: Decimal | None
    health_share: Decimal | None
    better_care_share: Decimal | None
    carers: int | None
    step: int | None
    project: str | None

    def on(self, day: date) -> bool:
        return self.start <= day <= self.end


def services(extracts: Extracts, people: People) -> list[Service]:
    """Give the rows of people with a record, ended "with the day of death, that day included", which is then the reason.

    "Rows that end before they start" are left out, and "a completion recorded for a day after the death is none".
    """
    found = []
    for row in extracts.rows("mosaic.service_elements"):
        person = people.of(row.person_ref)
        if person is None:
            continue
        end, reason, died = row.end_date or OPEN, row.end_reason_code, people.known[person].died
        if end > died:
            end, reason = died, "died"
        if row.start_date <= end:
            found.append(
                Service(
                    person=person,
                    element=row.element_ref,
                    split=row.split_number,
                    kind=row.service_type_code,
                    start=row.start_date,
                    end=end,
                    reason=reason,
                    recorded_end=row.end_date,
                    weekly=row.weekly_cost_gbp,
                    units=row.units,
                    unit=row.unit_code,
                    frequency=row.frequency_code,
                    council_share=row.council_share_percent,
                    health_share=row.health_share_percent,
                    better_care_share=row.better_care_fund_share_percent,
                    carers=row.carers_per_visit,
                    step=row.step_ref,
                    project=row.project_ref,
                )
            )
    return found


def by_person(rows: list[Service]) -> dict[Person, list[Service]]:
    found: dict[Person, list[Service]] = defaultdict(list)
    for row in rows:
        found[row.person].append(row)
    return found
