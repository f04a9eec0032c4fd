"""Measures of placements and of moves between settings."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

from tests.independent.calendar import DAY, OPEN
from tests.independent.care import Council
from tests.independent.counting import Counted, rounded
from tests.independent.definitions import kinds_that, number_of_kinds, projects_of, variables
from tests.independent.extracts import Row
from tests.independent.people import Person
from tests.independent.services import Service


@cache
def short_stay_elements(council: Council) -> set[int]:
    """Give the elements that "have placement records, all of them of a type marked is_short_stay"."""
    is_short = {row.placement_type_ref: row.is_short_stay for row in council.extracts.rows("mosaic.placement_types")}
    marks: dict[int, list[bool]] = defaultdict(list)
    for row in council.extracts.rows("mosaic.placements"):
        marks[row.element_ref].append(is_short.get(row.placement_type_ref, False))
    return {element for element, each in marks.items() if all(each)}


@cache
def placed(council: Council) -> dict[Person, list[Service]]:
    """Give each person's rows that are long-term accommodation, short stays left out."""
    settings, short = kinds_that("is_long_term", "is_accommodation"), short_stay_elements(council)
    return {
        person: [row for row in rows if row.kind in settings and row.element not in short]
        for person, rows in council.services_of.items()
    }


def setting_on(rows: list[Service], day: date) -> str | None:
    """Give the setting in force: "on each day the setting with the lowest overlap_priority among the rows that cover the
    day".
    """
    priority = number_of_kinds("overlap_priority")
    return min((row.kind for row in rows if row.on(day)), key=priority.__getitem__, default=None)


def cost_on(rows: list[Service], kind: str, day: date) -> Decimal | None:
    """Give the cost of a day: "the sum of the weekly cost of all service rows of the setting in force that cover the day,
    and unknown when any of them has no price".
    """
    prices = [row.weekly for row in rows if row.kind == kind and row.on(day)]
    return None if None in prices else sum((price for price in prices if price is not None), Decimal(0))


@dataclass(frozen=True)
class Stay:
    """An "unbroken run of days in one setting"."""

    kind: str
    first: date
    last: date


def stays(rows: list[Service]) -> list[Stay]:
    """Give the stays of one person in order."""
    edges = sorted({row.start for row in rows} | {row.end + DAY for row in rows})
    found: list[Stay] = []
    for first, after in itertools.pairwise(edges):
        here = setting_on(rows, first)
        if here is None:
            continue
        goes_on = found and found[-1].kind == here and found[-1].last + DAY == first
        found.append(Stay(here, found.pop().first if goes_on else first, after - DAY))
    return found


@dataclass(frozen=True)
class Move:
    """A stay that ended and the one in another setting that followed."""

    person: Person
    before: Stay
    after: Stay
    project: str | None


@cache
def moves(council: Council) -> list[Move]:
    """Give all moves: "A move is a stay in another setting that begins after at most placement_move_gap_days empty days".

    "Its project is that of the service rows of the new setting that cover its first day and were on no earlier day in
    force as the person's setting: of those that name a project the one with the lowest element and then split number".
    """
    gap = variables()["placement_move_gap_days"]
    found = []
    for person, rows in placed(council).items():
        in_order = stays(rows)
        for before, after in itertools.pairwise(in_order):
            if before.kind != after.kind and (after.first - before.last).days - 1 <= gap:
                earlier = [stay for stay in in_order if stay.kind == after.kind and stay.first < after.first]
                projects = [
                    (row.element, row.split, row.project)
                    for row in rows
                    if row.kind == after.kind
                    and row.on(after.first)
                    and row.project
                    and not any(stay.last >= row.start for stay in earlier)
                ]
                found.append(Move(person, before, after, min(projects)[2] if projects else None))
    return found


def younger_moves_up(council: Council) -> list[Move]:
    """Give the moves "of people aged 18-64 on the day of the move from one long-term placement to a more independent
    one", which it is "when independence_order rises".
    """
    order = number_of_kinds("independence_order")
    return [
        move
        for move in moves(council)
        if order[move.after.kind] > order[move.before.kind]
        and move.after.first <= council.as_at
        and council.people.age_band(move.person, move.after.first) == "18-64"
    ]


def _moves_of(council: Council, *, of_k018: bool) -> list[Move]:
    """Part the moves: "A move whose project is K018's in measure_projects counts there and not here (R35)"."""
    projects = projects_of("K018", council.folder.name)
    return [move for move in younger_moves_up(council) if (move.project in projects) == of_k018]


def k016(council: Council) -> Iterator[Counted]:
    """K016: moves "other than those that K018 counts", each "on its first day, by the setting moved to"."""
    for move in _moves_of(council, of_k018=False):
        yield Counted(move.after.first, 1, person=move.person, other=move.after.kind)


def k017(council: Council) -> Iterator[Counted]:
    """K017: "Moves of K016 whose planned gross weekly cost on the first day in the new setting is higher than on the last
    day in the setting before", of those "for which both costs are known".
    """
    for move in _moves_of(council, of_k018=False):
        rows = placed(council)[move.person]
        before = cost_on(rows, move.before.kind, move.before.last)
        after = cost_on(rows, move.after.kind, move.after.first)
        if before is not None and after is not None:
            yield Counted(move.after.first, int(after > before), 1, person=move.person, other=move.after.kind)


def k018(council: Council) -> Iterator[Counted]:
    """K018: moves "whose project is the council's project for K018 in measure_projects"."""
    for move in _moves_of(council, of_k018=True):
        yield Counted(move.after.first, 1, person=move.person, other=move.after.kind)


@cache
def placements_of_younger_adults(council: Council) -> list[tuple[date, Person, str, Fraction]]:
    """K019: give, of each month end, the people of 18-64 "with a long-term placement in force on it whose weekly cost is
    known", their setting and the cost: "gross, but net in the settings of k019_net_settings".
    """
    found = []
    for ending in council.month_ends:
        for person, rows in placed(council).items():
            kind = setting_on(rows, ending)
            if kind is None or council.people.age_band(person, ending) != "18-64":
                continue
            gross = cost_on(rows, kind, ending)
            if gross is not None:
                is_net = kind in variables()["k019_net_settings"]
                cost = _net(council, person, rows, kind, ending) if is_net else Fraction(gross)
                found.append((ending, person, kind, cost))
    return found


def _net(council: Council, person: Person, rows: list[Service], kind: str, day: date) -> Fraction:
    """Give the net cost: "that sum less health's and the Better Care Fund's part, less the person's assessed weekly
    contribution, and never below 0; each part is taken row by row, the weekly cost times its share (0 % where none is given)
    rounded to the penny; who pays the full cost has a net cost of 0".
    """
    cost = Fraction(0)
    for row in rows:
        if row.kind == kind and row.on(day):
            weekly = Fraction(row.weekly or 0)
            parts = [
                rounded(weekly * Fraction(share or 0) / 100) for share in (row.health_share, row.better_care_share)
            ]
            cost += weekly - Fraction(sum(parts))
    assessment = contribution_on(council, person, day)
    if assessment is None:
        return max(Fraction(0), cost)
    contribution, is_full_cost = assessment
    return Fraction(0) if is_full_cost else max(Fraction(0), cost - Fraction(contribution or 0))


def contribution_on(council: Council, person: Person, day: date) -> tuple[Decimal | None, bool] | None:
    """Give the contribution and whether it is the full cost: of "the financial assessment that covers the month end
    (effective to end date, both counted; the later effective date where two do, then the higher number), any record of the
    person".
    """
    in_force = [
        (row.effective_date, row.assessment_ref, row.weekly_contribution_gbp, bool(row.is_full_cost))
        for row in assessments_of(council).get(person, ())
        if row.effective_date is not None and row.effective_date <= day <= (row.end_date or OPEN)
    ]
    return max(in_force, key=lambda one: one[:2])[2:] if in_force else None


@cache
def assessments_of(council: Council) -> dict[Person | None, list[Row]]:
    """Give the financial assessments of each person, under any number."""
    found = defaultdict(list)
    for row in council.extracts.rows("mosaic.financial_assessments"):
        found[council.people.of(row.person_ref)].append(row)
    return found


def k019(council: Council) -> Iterator[Counted]:
    """K019: "Weekly cost of the placements of the denominator", by setting."""
    for ending, person, kind, cost in placements_of_younger_adults(council):
        yield Counted(ending, cost, 1, person=person, other=kind)


def k030(council: Council) -> Iterator[Counted]:
    """K030: "For each Shared Lives placement counted in K019: the difference of the two unrounded averages times
    weeks_in_a_year"; "Nothing is counted for a month end on which nobody lives in the alternative setting".
    """
    alternative, weeks = variables()["k030_alternative_setting"], variables()["weeks_in_a_year"]
    for ending in council.month_ends:
        costs: dict[str, list[Fraction]] = defaultdict(list)
        people = []
        for day, person, kind, cost in placements_of_younger_adults(council):
            if day == ending:
                costs[kind].append(cost)
                people += [person] if kind == "shared_lives" else []
        if costs[alternative]:
            dearer = sum(costs[alternative], Fraction(0)) / len(costs[alternative])
            for person in people:
                ours = sum(costs["shared_lives"], Fraction(0)) / len(people)
                yield Counted(ending, (dearer - ours) * weeks, person=person, other=alternative)


HOMES_BY_STATUS = {"own_home", "with_family", "supported_accommodation", "shared_lives"}


def k020(council: Council) -> Iterator[Counted]:
    """K020: "Share of people aged 18-64 with the primary support reason learning_disability and long-term support open,
    all on the month end, who live in their own home or with their family on it".

    "A long-term placement in force on the month end (as in K016) is the better witness"; "Without one the accommodation
    status that covers the month end decides. Where several cover the day the one that began last counts, of those the
    first by the alphabet".
    """
    statuses = defaultdict(list)
    for row in council.extracts.rows("mosaic.accommodations"):
        statuses[council.people.of(row.person_ref)].append(row)
    long_term = kinds_that("is_long_term")
    for ending in council.month_ends:
        for person, rows in council.services_of.items():
            if (
                council.people.age_band(person, ending) == "18-64"
                and council.people.support_reason(person, ending) == "learning_disability"
                and any(row.kind in long_term and row.on(ending) for row in rows)
            ):
                kind = setting_on(placed(council)[person], ending)
                if kind is not None:
                    is_home = kind not in {"nursing", "residential"}
                else:
                    here = [row for row in statuses[person] if row.start_date <= ending <= (row.end_date or OPEN)]
                    here.sort(key=lambda row: (-row.start_date.toordinal(), row.accommodation_code))
                    is_home = bool(here) and here[0].accommodation_code in HOMES_BY_STATUS
                yield Counted(ending, int(is_home), 1, person=person)
