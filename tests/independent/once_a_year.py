"""People who count once a financial year, on the first day that counts."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from tests.independent.calendar import first_day_of, year_start
from tests.independent.counting import Counted
from tests.independent.people import Person


class Spell(NamedTuple):
    """Days on which something that counts is in force for a person."""

    person: Person
    start: date
    end: date
    number: int  # of several that day the lowest counts
    team: str | None = None


def first_days(spells: Iterable[Spell], as_at: date) -> Iterator[Counted]:
    """Count each person "on the first day of the financial year on which" a spell is in force: "its first day, or 1 April
    where it began earlier".
    """
    first: dict[tuple[Person, int], tuple[date, int, str | None]] = {}
    for spell in spells:
        for year in range(year_start(spell.start).year, year_start(min(spell.end, as_at)).year + 1):
            day = max(spell.start, first_day_of(str(year)))
            if day <= as_at:
                key, mine = (spell.person, year), (day, spell.number, spell.team)
                first[key] = min(first.get(key, mine), mine, key=lambda one: one[:2])
    for (person, _), (day, _, team) in first.items():
        yield Counted(day, 1, person=person, team=team)
