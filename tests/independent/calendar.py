"""Days, months, financial years, and ages on a day."""

from datetime import date, timedelta

from tests.independent.definitions import variables

OPEN = date(2200, 1, 1)  # stands for "not ended yet"
DAY = timedelta(days=1)


def month_start(day: date) -> date:
    return day.replace(day=1)


def plus_months(day: date, months: int) -> date:
    """Give the first day of the month so many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_end(day: date) -> date:
    """Give the last day of the month of a day."""
    return plus_months(day, 1) - DAY


def year_start(day: date) -> date:
    """Give the 1 April on or before a day (R31)."""
    return date(day.year - (day.month < 4), 4, 1)


def year_end(day: date) -> date:
    return date(year_start(day).year + 1, 3, 31)


def financial_year(day: date) -> str:
    first = year_start(day).year
    return f"{first}/{(first + 1) % 100:02}"


def first_day_of(year: str) -> date:
    """Give the 1 April of a financial year written 2018/19."""
    return date(int(year[:4]), 4, 1)


def month_ends(as_at: date, how_many: int | None = None) -> list[date]:
    """Give the last month ends on or before a day, oldest first (month_end_window)."""
    many = variables()["month_end_window"] if how_many is None else how_many
    after = month_start(as_at + DAY)
    return [plus_months(after, -back) - DAY for back in reversed(range(many))]


def same_month_of(base_year: str, ending: date) -> date:
    """Give the end of the same month in another financial year."""
    years = ending.year - year_start(ending).year
    return month_end(date(int(base_year[:4]) + years, ending.month, 1))


def age(born: date, day: date) -> int:
    """Give the age in completed years; whoever is born on 29 February has the birthday on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_band(born: date | None, day: date) -> str:
    if born is None:
        return "unknown"
    years = age(born, day)
    return "under 18" if years < 18 else "18-64" if years < 65 else "65+"


def days_between(first: date, last: date) -> int:
    """Count days, "both end days counted"."""
    return (last - first).days + 1
