"""Measures of savings: claims that count, and what the project office forecasts."""

import re
from collections.abc import Iterator
from datetime import date

from tests.independent.calendar import financial_year
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import projects_of, variables
from tests.independent.extracts import Row

FORECAST_EFFECTS = {"in_year", "year_end", "not_stated"}


def claims_that_count(council: Council, measure_id: str, kind: str) -> list[Row]:
    """Give the claims of the measure's project and kind "that count": not rejected, and claiming nothing twice.

    "Of several claims, not rejected, for the same element and split, or for the same installation, only the first counts
    (earliest claimed_date, then lowest claim_ref), whichever project makes it; a claim that names neither evidence
    repeats none."
    """
    claimed: set[tuple[object, ...]] = set()
    found = []
    for row in sorted(
        council.extracts.rows("programme.savings_claims"), key=lambda row: (row.claimed_date, row.claim_ref)
    ):
        if row.validation_code == "rejected" and row.validated_date and row.validated_date <= council.as_at:
            continue
        evidence: set[tuple[object, ...]] = set()
        if row.element_ref is not None:
            evidence.add(("split", row.element_ref, row.split_number))
        if row.installation_ref is not None:
            evidence.add(("installation", row.installation_ref))
        if not evidence & claimed:
            found.append(row)
        claimed |= evidence
    projects = projects_of(measure_id, council.folder.name)
    return [row for row in found if row.project_ref in projects and row.savings_kind_code == kind]


def is_validated(council: Council, claim: Row) -> bool:
    """Tell whether finance has validated a claim (R15): "validation_code validated with validated_date on or before the
    as-at date, and the effective date lies in a period (both ends counted) of the same project and kind that finance has
    validated (validated_date absent or on or before the as-at date)".
    """
    own = claim.validation_code == "validated" and claim.validated_date and claim.validated_date <= council.as_at
    if not own or not variables()["savings_validated_by_period"]:
        return bool(own)
    return any(
        row.project_ref == claim.project_ref
        and row.savings_kind_code == claim.savings_kind_code
        and row.validation_code == "validated"
        and (row.validated_date is None or row.validated_date <= council.as_at)
        and row.period_start_date <= claim.effective_date <= row.period_end_date
        for row in council.extracts.rows("programme.finance_validations")
    )


def k002(council: Council) -> Iterator[Counted]:
    """K002: "Sum of in_year_gbp of those claims" of kind cashable, by their effective date."""
    for row in claims_that_count(council, "K002", "cashable"):
        yield Counted(row.effective_date, row.in_year_gbp, person=council.people.of(row.person_ref))


def k003(council: Council) -> Iterator[Counted]:
    """K003: "Sum of full_year_gbp less in_year_gbp of those claims"."""
    for row in claims_that_count(council, "K003", "cashable"):
        carried_over = row.full_year_gbp - row.in_year_gbp
        yield Counted(row.effective_date, carried_over, person=council.people.of(row.person_ref))


def k021(council: Council) -> Iterator[Counted]:
    """K021: "Full-year effect, as claimed, of all validated claims that count of the measure's project, of kind cashable,
    with an effective date on or before the month end, however long ago".

    The breakdowns are "those on the effective date", so each month end repeats the sum by the bands of those days.
    """
    for row in claims_that_count(council, "K021", "cashable"):
        if is_validated(council, row):
            person = council.people.of(row.person_ref)
            for ending in council.month_ends:
                if row.effective_date <= ending:
                    yield Counted(ending, row.full_year_gbp, person=person, known_on=row.effective_date)


def k041(council: Council) -> Iterator[Counted]:
    """K041: "In-year effect, as claimed, of the validated claims that count, of kind cost_avoidance"."""
    for row in claims_that_count(council, "K041", "cost_avoidance"):
        if is_validated(council, row):
            yield Counted(row.effective_date, row.in_year_gbp, person=council.people.of(row.person_ref))


def k044(council: Council) -> Iterator[Counted]:
    """K044: "In-year effect, as claimed, of the claims that count of the measure's project, of kind cashable"."""
    for row in claims_that_count(council, "K044", "cashable"):
        yield Counted(row.effective_date, row.in_year_gbp, person=council.people.of(row.person_ref))


def forecast_figures(council: Council, measure_id: str, kind: str) -> list[Row]:
    """Give the figures that K033, K042 and K043 choose among: "the figures of class forecast and kind cashable whose
    period is that financial year and whose effect is in_year, year_end or not_stated".
    """
    projects = projects_of(measure_id, council.folder.name)
    return [
        row
        for row in council.extracts.rows("programme.project_figures")
        if row.project_ref in projects
        and row.figure_code == "forecast"
        and row.savings_kind_code == kind
        and row.effect_code in FORECAST_EFFECTS
        and row.amount_gbp is not None
        and re.fullmatch(r"\d{4}/\d{2}", row.period)
    ]


def _forecast(council: Council, measure_id: str, kind: str) -> Iterator[Counted]:
    """Count forecasts: "of those the latest as-of date on or before the month end, and of that the latest report date.
    Several such figures are parts and are added up, except those whose name contains the word total where there are
    others"; the denominator is "1 where there is a figure; so without one there is no value, rather than 0".
    """
    figures = forecast_figures(council, measure_id, kind)
    for ending in council.month_ends:
        for project in projects_of(measure_id, council.folder.name):
            made = [
                row
                for row in figures
                if row.project_ref == project and row.period == financial_year(ending) and row.as_of_date <= ending
            ]
            newest: tuple[date, date] | None = max(((row.as_of_date, row.report_date) for row in made), default=None)
            chosen = [row for row in made if (row.as_of_date, row.report_date) == newest]
            parts = [row for row in chosen if "total" not in row.figure.lower().split()]
            for number, row in enumerate(parts or chosen):
                yield Counted(ending, row.amount_gbp, int(number == 0))


def k033(council: Council) -> Iterator[Counted]:
    """K033: the forecast of kind cashable."""
    return _forecast(council, "K033", "cashable")


def k042(council: Council) -> Iterator[Counted]:
    """K042: "As K033, for the measure's project and figures of kind cost_avoidance"."""
    return _forecast(council, "K042", "cost_avoidance")


def k043(council: Council) -> Iterator[Counted]:
    """K043: "As K033, for the measure's project and figures of kind cashable"."""
    return _forecast(council, "K043", "cashable")
