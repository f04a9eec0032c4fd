"""Measures of reablement and of other short-term services."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.independent.calendar import DAY, age, days_between
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import kinds_that, variables
from tests.independent.once_a_year import Spell, first_days
from tests.independent.people import Person
from tests.independent.services import Service
from tests.independent.short_term import Referral, referrals, short_term_episodes


@dataclass(frozen=True)
class Episode:
    """Rows of reablement of one person that touch or nearly touch."""

    person: Person
    start: date
    last: Service  # the row that ends last: it says how the episode ended

    @property
    def is_completed(self) -> bool:
        return self.last.reason == "completed"


def episodes(council: Council) -> list[Episode]:
    """Give all episodes: rows of one person "with at most this many empty days between them are one episode"
    (reablement_gap_days). "The row that ends last says how the episode ended; of several ending that day the one that
    began last, then the one with the highest element and split number".
    """
    reach = timedelta(days=variables()["reablement_gap_days"] + 1)
    found = []
    for person, rows in council.services_of.items():
        waiting = [row for row in rows if row.kind == "reablement"]
        while waiting:
            members = [min(waiting, key=lambda row: row.start)]
            waiting.remove(members[0])
            # Take in whatever begins within reach of what is already in, until nothing more does.
            while near := [row for row in waiting if row.start - reach <= max(one.end for one in members)]:
                members += near
                waiting = [row for row in waiting if row not in near]
            last = max(members, key=lambda row: (row.end, row.start, row.element, row.split))
            found.append(Episode(person, members[0].start, last))
    return found


def completed_episodes(council: Council) -> list[Episode]:
    return [episode for episode in episodes(council) if episode.is_completed]


def k007(council: Council) -> Iterator[Counted]:
    """K007 and K008: "Completed reablement episodes, each counted on its last day"."""
    for episode in completed_episodes(council):
        yield Counted(episode.last.end, 1, person=episode.person)


def k009(council: Council) -> Iterator[Counted]:
    """K009: "Days from the first to the last day of each completed episode, both counted, gaps inside it included"."""
    for episode in completed_episodes(council):
        length = days_between(episode.start, episode.last.end)
        yield Counted(episode.last.end, length, 1, person=episode.person)


def k010(council: Council) -> Iterator[Counted]:
    """K010: discharges of people of 65 and over "into reablement or rehabilitation after which the person was at home on
    the 91st day. A discharge counts on that 91st day, once it is on or before the as-at date".
    """
    all_referrals = referrals(council)
    for discharge in _into_reablement(council, all_referrals):
        known = council.people.known[discharge.person]
        assert discharge.discharged is not None
        day = discharge.discharged + timedelta(days=variables()["at_home_after_days"])
        is_old = known.born is not None and age(known.born, discharge.discharged) >= 65
        if is_old and day <= council.as_at:
            yield Counted(day, int(_at_home(council, discharge.person, day, all_referrals)), 1, person=discharge.person)


def _into_reablement(council: Council, all_referrals: list[Referral]) -> set[Referral]:
    """Give the discharges "with a discharge date and the outcome reablement that are the latest such discharge of the
    person on or before the first day of a short-term episode of reablement or rehabilitation with the source hospital, at
    most discharge_to_service_days (7) days before it; of several on one day the referral with the lowest number".
    """
    reach = timedelta(days=variables()["discharge_to_service_days"])
    found = set()
    for episode in short_term_episodes(council):
        if episode.service in {"reablement", "rehabilitation"} and episode.source == "hospital":
            before = [
                (one.discharged, -one.referral, one)
                for one in all_referrals
                if one.person == episode.person
                and one.outcome == "reablement"
                and one.discharged is not None
                and episode.start - reach <= one.discharged <= episode.start
            ]
            if before:
                found.add(max(before)[2])
    return found


def _at_home(council: Council, person: Person, day: date, all_referrals: list[Referral]) -> bool:
    """Tell whether a person was at home: "alive at its end (a death on the day is none), with no nursing or residential
    service (setting_hierarchy: is_care_home) in force on it, no rehabilitation episode (in a bed) in force on it, and not
    in hospital on it. In hospital: a referral not withdrawn, made on or before the day, with a discharge date after it or
    none".
    """
    away = kinds_that("is_care_home")
    return not (
        council.people.known[person].died <= day
        or any(row.kind in away and row.on(day) for row in council.services_of.get(person, ()))
        or any(
            one.person == person and one.service == "rehabilitation" and one.start <= day <= one.end
            for one in short_term_episodes(council)
        )
        or any(
            one.person == person
            and one.outcome != "withdrawn"
            and one.referred <= day
            and (one.discharged is None or one.discharged > day)
            for one in all_referrals
        )
    )


def k011(council: Council) -> Iterator[Counted]:
    """K011: "People with a short-term episode (reablement, rehabilitation or rapid response) in force on any day of the
    financial year to date, each counted once a financial year, on the first such day".
    """
    services = {"reablement", "rehabilitation", "home_first_response"}
    yield from first_days(_spells(council, services), council.as_at)


def k013(council: Council) -> Iterator[Counted]:
    """K013: people "with a rapid response episode (short-term episodes of the service home_first_response)", as K011."""
    yield from first_days(_spells(council, {"home_first_response"}), council.as_at)


def _spells(council: Council, services: set[str]) -> list[Spell]:
    return [
        Spell(one.person, one.start, one.end, one.episode, one.team)
        for one in short_term_episodes(council)
        if one.service in services
    ]


def k012(council: Council) -> Iterator[Counted]:
    """K012: completed episodes after which the person lived for 91 days without long-term support, counted "on the last
    of these days (its last day + 91), once that day is on or before the as-at date".
    """
    counts_against = {"homecare"} if variables()["k012_home_care_only"] else kinds_that("is_long_term")
    for episode in completed_episodes(council):
        first = episode.last.end + DAY
        day = episode.last.end + timedelta(days=variables()["reablement_independent_days"])
        if day <= council.as_at:
            supported = any(
                row.kind in counts_against and row.start <= day and row.end >= first
                for row in council.services_of[episode.person]
            )
            alive = council.people.known[episode.person].died > day
            yield Counted(day, int(alive and not supported), 1, person=episode.person)


def k066(council: Council) -> Iterator[Counted]:
    """K066: "Hours of contact given as a share of the hours planned, over the reablement episodes whose last day lies in
    the period and for which both are recorded".
    """
    for one in short_term_episodes(council):
        if one.service == "reablement" and one.end <= council.as_at and None not in (one.planned, one.contact):
            yield Counted(one.end, one.contact or 0, one.planned, person=one.person, team=one.team)
