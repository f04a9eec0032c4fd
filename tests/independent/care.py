"""One council as the measures see it: people, services and steps, read once."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from tests.independent import services as of_services
from tests.independent import steps as of_steps
from tests.independent.calendar import month_ends
from tests.independent.extracts import Extracts
from tests.independent.people import People, Person
from tests.independent.services import Service
from tests.independent.steps import Step


@dataclass(frozen=True, eq=False)  # what is remembered of a council is of these files alone
class Council:
    """The extracts of a council, and what several measures need of them."""

    folder: Path
    as_at: date

    @cached_property
    def extracts(self) -> Extracts:
        return Extracts(self.folder, self.as_at)

    @cached_property
    def people(self) -> People:
        return People(self.extracts)

    @cached_property
    def services(self) -> list[Service]:
        return of_services.services(self.extracts, self.people)

    @cached_property
    def services_of(self) -> dict[Person, list[Service]]:
        return of_services.by_person(self.services)

    @cached_property
    def steps(self) -> list[Step]:
        return of_steps.steps(self.extracts, self.people)

    @cached_property
    def month_ends(self) -> list[date]:
        return month_ends(self.as_at)
