"""Measures of the front door: contacts and assessments."""

from collections.abc import Iterator
from datetime import date

from tests.independent.calendar import year_start
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import variables
from tests.independent.extracts import Row


def k034(council: Council) -> Iterator[Counted]:
    """K034: "Assessments are completed steps of the activity assessment (not a carer's), by the day the assessment took
    place"; "one step about two people is two assessments".
    """
    for step in council.steps:
        if step.status == "COMPLETED" and step.activity == "assessment" and step.held is not None:
            for person in step.people:
                yield Counted(step.held, 1, person=person, team=step.team)


def _counted(council: Council, row: Row, numerator: int, denominator: int | None) -> Counted:
    person = council.people.of(row.person_ref)
    return Counted(row.contact_date, numerator, denominator, person, row.team_ref, row.channel_code)


def k035(council: Council) -> Iterator[Counted]:
    """K035: "Share of contacts whose outcome is resolved, advice or community_resource (first_contact_outcomes)", of the
    "contacts of the period that have an outcome".
    """
    resolved = variables()["first_contact_outcomes"]
    for row in council.extracts.rows("mosaic.contacts"):
        if row.outcome_code is not None:
            yield _counted(council, row, int(row.outcome_code in resolved), 1)


def k036(council: Council) -> Iterator[Counted]:
    """K036: "Contacts of the period by telephone for which it is recorded whether they were resolved in the call"."""
    for row in council.extracts.rows("mosaic.contacts"):
        if row.channel_code == "telephone" and row.is_resolved_in_call is not None:
            yield _counted(council, row, int(row.is_resolved_in_call), 1)


def k037(council: Council) -> Iterator[Counted]:
    """K037: "Adults linked to a community resource at a contact (outcome community_resource)"; "People under 18 on the day
    of the contact do not count; those of unknown age do".
    """
    linked = [
        row
        for row in council.extracts.rows("mosaic.contacts")
        if row.outcome_code == "community_resource"
        and council.people.age_band(council.people.of(row.person_ref), row.contact_date) != "under 18"
    ]
    yield from _once_a_year(council, linked)


def k058(council: Council) -> Iterator[Counted]:
    """K058: people "who pay for their own care and were given advice at a contact (self-funder, outcome advice)"."""
    advised = [
        row for row in council.extracts.rows("mosaic.contacts") if row.is_self_funder and row.outcome_code == "advice"
    ]
    yield from _once_a_year(council, advised)


def _once_a_year(council: Council, contacts: list[Row]) -> Iterator[Counted]:
    """Count people: "A named person counts once a financial year, on the day of the first such contact (of several that
    day the contact with the lowest number says the team); each contact without a name, or about a number that is not in
    the persons extract, counts as one more person".
    """
    seen: set[tuple[int, date]] = set()
    for row in sorted(contacts, key=lambda row: (row.contact_date, row.contact_ref)):
        person = council.people.of(row.person_ref)
        if person is not None:
            key = (person, year_start(row.contact_date))
            if key in seen:
                continue
            seen.add(key)
        yield _counted(council, row, 1, None)
