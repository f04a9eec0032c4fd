"""Measures of carers and of safeguarding."""

from collections.abc import Iterator

from tests.independent.calendar import OPEN
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import variables
from tests.independent.once_a_year import Spell, first_days


def carer_spells(council: Council, kinds: list[str]) -> list[Spell]:
    """Give support to carers by the days on which it is in force.

    "A break without an end date goes on until one is recorded; a payment is of its first day alone. A break ends with the
    carer's death at the latest"; "Support that ends before it starts, or starts after the carer's death, does not count".
    """
    found = []
    for row in council.extracts.rows("mosaic.carer_support"):
        carer = council.people.of(row.carer_person_ref)
        if carer is None or row.support_code not in kinds:
            continue
        died, recorded_end = council.people.known[carer].died, row.end_date or OPEN
        if row.start_date <= min(died, recorded_end):
            end = min(recorded_end, died) if row.support_code == "break" else row.start_date
            found.append(Spell(carer, row.start_date, end, row.support_ref))
    return found


def k054(council: Council) -> Iterator[Counted]:
    """K054: "Carers, each counted on the start date of the first advice in the financial year"."""
    yield from first_days(carer_spells(council, ["advice"]), council.as_at)


def k055(council: Council) -> Iterator[Counted]:
    """K055: "Carers with a payment or a break (carers_supported_by) in force on any day of the financial year to date"."""
    yield from first_days(carer_spells(council, variables()["carers_supported_by"]), council.as_at)


def k053(council: Council) -> Iterator[Counted]:
    """K053: enquiries concluded "in which all that the person wanted was achieved, of those in which the person was asked
    and said what it was"; "Enquiries that end before they start do not count".
    """
    for row in council.extracts.rows("mosaic.safeguarding_enquiries"):
        person = council.people.of(row.person_ref)
        is_concluded = row.end_date is not None and row.end_date >= row.start_date
        if person is not None and is_concluded and row.was_asked and row.outcome_code is not None:
            yield Counted(row.end_date, int(row.outcome_code == "fully_achieved"), 1, person=person)
