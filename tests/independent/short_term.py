"""Short-term services in the teams' own words, and discharges from hospital."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from tests.independent.calendar import OPEN
from tests.independent.care import Council
from tests.independent.people import Person


@dataclass(frozen=True)
class ShortTerm:
    """A short-term episode as its team recorded it, ended by death at the latest."""

    episode: int
    person: Person
    service: str
    source: str
    start: date
    end: date  # OPEN while it goes on
    recorded_end: date | None
    team: str | None
    planned: Decimal | None
    contact: Decimal | None


@cache
def short_term_episodes(council: Council) -> list[ShortTerm]:
    """Give the episodes that count: "An episode ends with the day of death at the latest; one that ends before it starts,
    or starts after the death, does not count".
    """
    found = []
    for row in council.extracts.rows("mosaic.short_term_episodes"):
        person = council.people.of(row.person_ref)
        if person is None:
            continue
        end = min(row.end_date or OPEN, council.people.known[person].died)
        if row.start_date <= end:
            found.append(
                ShortTerm(
                    row.episode_ref,
                    person,
                    row.service_code,
                    row.source_code,
                    row.start_date,
                    end,
                    row.end_date,
                    row.team_ref,
                    row.planned_hours,
                    row.contact_hours,
                )
            )
    return found


@dataclass(frozen=True)
class Referral:
    """A hospital's referral of one person."""

    referral: int
    person: Person
    referred: date
    discharged: date | None
    outcome: str | None


@cache
def referrals(council: Council) -> list[Referral]:
    """Give the referrals of people with a record."""
    return [
        Referral(row.referral_ref, person, row.referred_date, row.discharge_date, row.outcome_code)
        for row in council.extracts.rows("mosaic.hospital_discharges")
        if (person := council.people.of(row.person_ref)) is not None
    ]
