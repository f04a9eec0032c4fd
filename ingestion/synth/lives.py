"""Everything that is invented once and then looked at on as many nights as are wanted."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from ingestion.synth.agreements import agree
from ingestion.synth.merges import Duplicates, invent_duplicates
from ingestion.synth.periods import Month, day_of, months_between
from ingestion.synth.persons import Details, People, invent_details, invent_people
from ingestion.synth.reviews import invent_reviews
from ingestion.synth.services import invent_services

# Lives are invented a little past the last night, so that work in progress on that night has an outcome.
LOOK_AHEAD = timedelta(days=90)
# Episodes under way on the first day began before it.
LEAD_IN = timedelta(days=62)


@dataclass(frozen=True)
class Night:
    """One night on which extracts are cut: what was typed in by its day is in them, in days since 1970."""

    day: int
    previous: int | None = None
    """The night before it for which extracts were cut, or None: what a change feed has told already."""


@dataclass(frozen=True)
class Lives:
    """The people of a council and what happens to them from a little before `start` to a little after `end`.

    The frames are meant for every module that writes an extract. They depend on `people`, `start` and
    `seed` alone: a later `end` adds rows and changes none.
    """

    people_count: int
    start: date
    end: date
    seed: int

    @cached_property
    def first_day(self) -> int:
        """The first day of the period, in days since 1970."""
        return day_of(self.start)

    @cached_property
    def until_day(self) -> int:
        """The last day on which anything invented begins."""
        return day_of(self.end + LOOK_AHEAD)

    @cached_property
    def months(self) -> list[Month]:
        """The months of the period itself, which are its accounting periods."""
        return months_between(self.start, self.end)

    @cached_property
    def events(self) -> list[Month]:
        """The months in which something may begin: the lead-in and the look ahead included."""
        return months_between(self.start - LEAD_IN, self.end + LOOK_AHEAD)

    @cached_property
    def people(self) -> People:
        """Everyone, by position; frames refer to people by that position in a column `person`."""
        return invent_people(self.people_count, self.first_day, self.seed)

    @cached_property
    def details(self) -> Details:
        """Names and numbers, by position."""
        return invent_details(self.people, self.seed)

    @cached_property
    def duplicates(self) -> Duplicates:
        """The second records that some people have for a while."""
        return invent_duplicates(self.people, self.first_day, self.seed)

    @cached_property
    def reviews(self) -> pl.DataFrame:
        """Reviews, as steps: see `ingestion.synth.steps.STEP`. One row is one review."""
        return invent_reviews(self.people, self._services, self.until_day, self.seed)

    @cached_property
    def services(self) -> pl.DataFrame:
        """Splits of service elements, sorted by element and number: see `ingestion.synth.splits.PRICED`."""
        return agree(self._services, self.reviews, self.people.birth, self.people.is_older)

    @cached_property
    def _services(self) -> pl.DataFrame:
        return invent_services(self.people, self.events, self.first_day, self.until_day, self.seed)
