"""Which periods the extracts can answer for."""

from collections.abc import Callable
from datetime import date
from functools import cache

from tests.independent import carers, housing, programme, savings
from tests.independent.calendar import financial_year, first_day_of, month_end, month_start, plus_months, year_start
from tests.independent.care import Council
from tests.independent.counting import window
from tests.independent.definitions import Measure, projects_of
from tests.independent.direct_payments import packages
from tests.independent.short_term import referrals, short_term_episodes

Days = list[date | None]


def _days_of(table: str, column: str) -> Callable[[Council], Days]:
    return lambda council: [getattr(row, column) for row in council.extracts.rows(table)]


def _steps(council: Council, activities: set[str]) -> Days:
    return [
        step.held
        for step in council.steps
        if step.status == "COMPLETED" and step.activity in activities and step.people
    ]


def _enquiries(council: Council) -> Days:
    return [
        row.end_date
        for row in council.extracts.rows("mosaic.safeguarding_enquiries")
        if row.end_date and row.end_date >= row.start_date and council.people.of(row.person_ref) is not None
    ]


def _agreements(council: Council) -> Days:
    """Give the days agreements ceased; "where none has ceased" those from which people were eligible."""
    rows = council.extracts.rows("registers.brokerage_agreements")
    return [row.ceased_date for row in rows if row.ceased_date] or [row.eligible_from_date for row in rows]


def _since_base(days: Callable[[Council], Days], variable: str) -> Callable[[Council], Days]:
    """Hold a stock since a base date "from the month of the base date on, and only where a unit of the register had
    opened by then".
    """
    base = housing.configured_day(variable)
    return lambda council: [base] if any(day is not None and day <= base for day in days(council)) else []


UNITS_OPENED = _days_of("registers.housing_units", "opened_date")
HOUSEHOLDS_APPROVED = _days_of("registers.shared_lives_households", "approved_date")

# What must be delivered too, "if only empty".
WITH = {
    "reviews": "mosaic.form_answers",
    "assessments": "mosaic.form_answers",
    "contacts": "mosaic.persons",
    "achieved_savings": "programme.target_versions",
    "direct_payment_recoupments": "registers.direct_payment_recoupments",
    "change_requests": "programme.change_request_profiles",
}
# What no row proves: "held once it is delivered".
DELIVERED = {
    "persons": "mosaic.persons",
    "financial_assessments": "mosaic.financial_assessments",
    "alternative_delivery": "programme.alternative_delivery",
    "finance_validations": "programme.finance_validations",
}

# What proves since when a dataset is held whole: "from the month of the earliest" of these days, as the cautions of the
# measures say.
PROOFS: dict[str, Callable[[Council], Days]] = {
    "services": lambda council: [row.recorded_end for row in council.services],
    "reviews": lambda council: _steps(council, {"planned_review", "unplanned_review"}),
    "assessments": lambda council: _steps(council, {"assessment"}),
    "contacts": _days_of("mosaic.contacts", "contact_date"),
    "short_term_episodes": lambda council: [one.recorded_end for one in short_term_episodes(council)],
    "hospital_discharges": lambda council: [one.discharged for one in referrals(council)],
    "safeguarding_enquiries": _enquiries,
    "carer_support": lambda council: [
        one.start for one in carers.carer_spells(council, ["advice", "assessment", "payment", "break"])
    ],
    "accommodations": lambda council: [
        row.end_date
        for row in council.extracts.rows("mosaic.accommodations")
        if council.people.of(row.person_ref) is not None
    ],
    "direct_payments": lambda council: [package.recorded_end for package in packages(council)],
    "direct_payment_recoupments": lambda council: [
        *(row.balance_date for row in council.extracts.rows("registers.direct_payment_balances")),
        *(row.recouped_date for row in council.extracts.rows("registers.direct_payment_recoupments")),
    ],
    "housing_units": UNITS_OPENED,
    "housing_voids": _days_of("registers.housing_voids", "start_date"),
    "housing_since_base": _since_base(UNITS_OPENED, "housing_with_care_base_date"),
    "shared_lives_households": HOUSEHOLDS_APPROVED,
    "shared_lives_carers": _days_of("registers.shared_lives_carers", "applied_date"),
    "shared_lives_since_base": _since_base(HOUSEHOLDS_APPROVED, "shared_lives_base_date"),
    "income": _days_of("finance.income", "charged_date"),
    "brokerage_agreements": _agreements,
    "savings_claims": _days_of("programme.savings_claims", "effective_date"),
    "savings_targets": _days_of("programme.savings_targets", "report_date"),
    "amounts_at_risk": _days_of("programme.amounts_at_risk", "report_date"),
    "change_requests": lambda council: [
        row.requested_date or row.decided_date for row in council.extracts.rows("programme.change_requests")
    ],
    "governed_projects": lambda council: list(programme.governed_days(council)),
    "achieved_savings": lambda council: list(programme.achieved_savings_days(council)),
    "project_of_k033": lambda council: _forecasts(council, "K033", "cashable"),
    "project_of_k042": lambda council: _forecasts(council, "K042", "cost_avoidance"),
    "project_of_k043": lambda council: _forecasts(council, "K043", "cashable"),
}


def _forecasts(council: Council, measure_id: str, kind: str) -> Days:
    """Give the month ends from which the definition finds a forecast of each figure's year."""
    found = savings.forecast_figures(council, measure_id, kind)
    firsts = [(row.period, month_end(max(row.as_of_date, first_day_of(row.period)))) for row in found]
    return [first for year, first in firsts if financial_year(first) == year]


@cache
def held_from(council: Council, dataset: str) -> date | None:
    """Give the first day of the first month that a dataset holds whole, none where it holds nothing."""
    if dataset in WITH and not council.extracts.deliveries(WITH[dataset]):
        return None
    if dataset in DELIVERED:
        return date.min if council.extracts.deliveries(DELIVERED[dataset]) else None
    if dataset.startswith("project_of_") and dataset not in PROOFS:
        named = projects_of(dataset.removeprefix("project_of_").upper(), council.folder.name)
        return date.min if named else None
    days = [day for day in PROOFS[dataset](council) if day is not None]
    return month_start(min(days)) if days else None


def shown(council: Council, measure: Measure, period_type: str, *, base_year: str | None) -> list[date]:
    """Give the month ends for which "the extracts hold all that the measure needs", and of a measure that compares with a
    base year those after it.
    """
    return [
        ending
        for ending in council.month_ends
        if all(_is_held(council, need, period_type, ending) for need in measure.needs)
        and (base_year is None or financial_year(ending) > base_year)
    ]


def _is_held(council: Council, need: dict[str, object], period_type: str, ending: date) -> bool:
    """Tell whether a dataset "is held, both for the whole period (the month, the year to date, twelve months) and for as
    many months as the registry says".
    """
    held = held_from(council, str(need["dataset"]))
    firsts = [month_start(window(period_type, ending)[0])]
    if "months" in need:
        firsts.append(plus_months(ending, 1 - int(str(need["months"]))))
    if "since" in need:
        firsts.append(year_start(ending))
    return held is not None and held <= min(firsts)
