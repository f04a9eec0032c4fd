"""Measures of income: what is charged, and what is forecast of it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.independent.calendar import OPEN, days_between, financial_year, year_end
from tests.independent.care import Council
from tests.independent.counting import Counted, rounded
from tests.independent.extracts import Row
from tests.independent.people import Person


def charged_to_date(council: Council, kind: str, ending: date) -> Decimal:
    """Give "the sum of charged_gbp of finance.income of the kind whose financial_year is that of the month end and whose
    period_number is at most that of the month end (at 31 March all of the year's, closing periods included)".
    """
    period = period_number(ending)
    return sum(
        (
            row.charged_gbp
            for row in council.extracts.rows("finance.income")
            if row.income_kind_code == kind
            and row.financial_year == financial_year(ending)
            and (period == 12 or row.period_number <= period)
        ),
        Decimal(0),
    )


def period_number(day: date) -> int:
    """Give the accounting period: 1 is April and 12 is March (R31)."""
    return (day.month - 4) % 12 + 1


def k038(council: Council) -> Iterator[Counted]:
    """K038: "what is charged to date (kind continuing_health_care, all lines) plus, for each service row in force on the
    month end with a health share above 0 and a weekly cost, weekly_cost_gbp x health_share_percent / 100 x days from the
    day after the month end to 31 March / 7, rounded to the penny row by row".
    """
    for ending in council.month_ends:
        yield Counted(ending, charged_to_date(council, "continuing_health_care", ending))
        days = days_between(ending, year_end(ending)) - 1
        for row in council.services:
            if row.on(ending) and row.weekly is not None and (row.health_share or 0) > 0:
                yield Counted(ending, rounded(Fraction(row.weekly) * Fraction(row.health_share or 0) / 100 * days / 7))


def k039(council: Council) -> Iterator[Counted]:
    """K039: "what is charged to date (kind brokerage_fee, all lines) plus, for each agreement in force on the month end,
    annual_fee_gbp x months left in the year / 12, rounded to the penny agreement by agreement".
    """
    for ending in council.month_ends:
        yield Counted(ending, charged_to_date(council, "brokerage_fee", ending))
        for _, row in _agreements(council, ending):
            if row.signed_date is not None and row.signed_date <= ending and row.annual_fee_gbp is not None:
                months_left = 12 - period_number(ending)
                yield Counted(ending, rounded(Fraction(row.annual_fee_gbp) * months_left / 12))


def _agreements(council: Council, day: date) -> list[tuple[Person, Row]]:
    """Give the agreements and offers that stand on a day: "ceased_date is absent or after the month end, and its person is
    known (after merges) and did not die before the month end".
    """
    return [
        (person, row)
        for row in council.extracts.rows("registers.brokerage_agreements")
        if (person := council.people.of(row.person_ref)) is not None
        and day < (row.ceased_date or OPEN)
        and council.people.known[person].died >= day
    ]


def k040(council: Council) -> Iterator[Counted]:
    """K040: people with a row "where eligible_from_date <= month end and ceased_date is absent or after the month end.
    Signed: any such row of theirs has signed_date <= month end. Each person counts once".
    """
    for ending in council.month_ends:
        signed: dict[Person, bool] = defaultdict(bool)
        for person, row in _agreements(council, ending):
            if row.eligible_from_date <= ending:
                signed[person] |= row.signed_date is not None and row.signed_date <= ending
        for person, is_signed in signed.items():
            yield Counted(ending, int(is_signed), 1, person=person)
