"""Who is who: merged records, birth and death, support reasons."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from tests.independent.calendar import OPEN, age_band
from tests.independent.extracts import Extracts, Row

Person = int  # the number of the record that a person has now


def who_is_who(merges: Iterable[tuple[Person, Person]]) -> Callable[[Person], Person]:
    """Tell whose a number is now: "chains occur" (contract of person_merges), so every merge is followed to its end.

    Numbers that lead back to one of themselves name no survivor; "the lowest number of the circle stands for all in it"
    (decision 0008).
    """
    master = dict(merges)

    def follow(number: Person) -> Person:
        passed: list[Person] = []
        while number in master and number not in passed:
            passed.append(number)
            number = master[number]
        return min(passed[passed.index(number) :]) if number in passed else number

    return follow


@dataclass
class Known:
    """What is known of a person."""

    born: date | None
    died: date  # OPEN while no death is recorded


class People:
    """Everybody with a record; numbers lead to the people they belong to now."""

    def __init__(self, extracts: Extracts) -> None:
        merges = [(row.merged_person_ref, row.master_person_ref) for row in extracts.rows("mosaic.person_merges")]
        self.follow = who_is_who(merges)
        self.known: dict[Person, Known] = self._known(extracts.rows("mosaic.persons"))
        self._reasons = self._support_reasons(extracts.rows("mosaic.service_user_groups"))

    def of(self, number: int | None) -> Person | None:
        """Give the person a number belongs to, none where there is no record: "rows of people not in the persons
        extract do not count" (registry).
        """
        person = None if number is None else self.follow(number)
        return person if person in self.known else None

    def age_band(self, person: Person | None, day: date) -> str:
        return "unknown" if person is None else age_band(self.known[person].born, day)

    def support_reason(self, person: Person | None, day: date) -> str:
        """Give the reason "in force on the day of the figure. Where two are open on a day, the one that began last
        counts" (contract of service_user_groups).
        """
        in_force = [row for row in self._reasons.get(person or 0, ()) if row[0] <= day <= row[1]]
        return max(in_force)[2] if in_force else "unknown"

    def _known(self, records: list[Row]) -> dict[Person, Known]:
        """Make one of all records of a person: "what the master's record says; where it is blank, what the lowest other
        number says" (decision 0008).
        """
        found: dict[Person, Known] = {}
        for row in sorted(records, key=lambda row: (self.follow(row.person_ref) != row.person_ref, row.person_ref)):
            known = found.setdefault(self.follow(row.person_ref), Known(None, OPEN))
            known.born = known.born or row.birth_date
            known.died = known.died if known.died != OPEN else row.death_date or OPEN
        return found

    def _support_reasons(self, rows: list[Row]) -> dict[Person, list[tuple[date, date, str]]]:
        reasons: dict[Person, list[tuple[date, date, str]]] = {}
        for row in rows:
            spell = (row.start_date, row.end_date or OPEN, row.support_reason_code)
            reasons.setdefault(self.follow(row.person_ref), []).append(spell)
        return reasons
