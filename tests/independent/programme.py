"""Measures of the portfolio as status reports state it, and the targets in force on a day."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from tests.independent.calendar import financial_year, month_end
from tests.independent.care import Council
from tests.independent.counting import Counted
from tests.independent.definitions import seed
from tests.independent.extracts import Row

BLOCKS = ("programme.savings_targets", "programme.amounts_at_risk", "programme.alternative_delivery")


def latest_report(council: Council, ending: date) -> date | None:
    """Give the latest report: "of the report dates on which a council stated any savings target, amount at risk or
    alternative delivery of a programme, the latest on or before the month end".
    """
    dates = {row.report_date for block in BLOCKS for row in council.extracts.rows(block)}
    return max((day for day in dates if day <= ending), default=None)


def counting_rows(council: Council, block: str, ending: date) -> list[Row]:
    """Give the rows of the latest report that count towards the portfolio (R06, R07).

    "From the top of the tree downwards, the first programme reached that states any figure in the report counts with all
    its figures; nothing beneath it does. The top itself counts only where nothing beneath it states a figure."
    """
    report = latest_report(council, ending)
    states = {row.programme_ref for each in BLOCKS for row in council.extracts.rows(each) if row.report_date == report}
    tree = council.extracts.rows("programme.programmes")
    beneath = defaultdict(list)
    for node in tree:
        beneath[node.parent_programme_ref].append(node.programme_ref)

    def count(node: str) -> list[str]:
        return [node] if node in states else [one for child in beneath[node] for one in count(child)]

    counts = set(states - {node.programme_ref for node in tree})
    for top in beneath[None]:
        counts |= {one for child in beneath[top] for one in count(child)} or {top}
    return [row for row in council.extracts.rows(block) if row.report_date == report and row.programme_ref in counts]


def k045(council: Council) -> Iterator[Counted]:
    """K045: "Sum of target_gbp" of the rows that count, "by financial year as printed in the other breakdown"."""
    for ending in council.month_ends:
        for row in counting_rows(council, "programme.savings_targets", ending):
            yield Counted(ending, row.target_gbp, other=row.financial_year)


def k046(council: Council) -> Iterator[Counted]:
    """K046: "Sum of at_risk_gbp of those rows of programme.amounts_at_risk"."""
    for ending in council.month_ends:
        for row in counting_rows(council, "programme.amounts_at_risk", ending):
            yield Counted(ending, row.at_risk_gbp, other=row.financial_year)


def k047(council: Council) -> Iterator[Counted]:
    """K047: "Sum of alternative_delivery_gbp of those rows of programme.alternative_delivery"."""
    for ending in council.month_ends:
        for row in counting_rows(council, "programme.alternative_delivery", ending):
            yield Counted(ending, row.alternative_delivery_gbp)


def k048(council: Council) -> Iterator[Counted]:
    """K048: "K046 of all years together less K047 (R09)"."""
    yield from k046(council)
    for one in k047(council):
        yield Counted(one.day, -one.numerator)


def k049(council: Council) -> Iterator[Counted]:
    """K049: amounts at risk "whose financial year is exactly that year, with the sign turned"."""
    for one in k046(council):
        if one.other == financial_year(one.day):
            yield Counted(one.day, -one.numerator)


def k062(council: Council) -> Iterator[Counted]:
    """K062: "the rows of K045 whose financial year is exactly that year; by programme (theme)"."""
    for ending in council.month_ends:
        for row in counting_rows(council, "programme.savings_targets", ending):
            if row.financial_year == financial_year(ending):
                yield Counted(ending, row.target_gbp, other=row.programme_ref)


def version_in_force(council: Council, project: str, day: date) -> dict[str, Decimal]:
    """Give a project's targets by year: "the approved version with the latest approval on or before the month end; of two
    approved on one day the higher version number" (R24). None before the first approval.
    """
    approved = [
        row
        for row in council.extracts.rows("programme.target_versions")
        if row.project_ref == project
        and row.decision_code == "approved"
        and row.approved_date is not None
        and row.approved_date <= day
    ]
    newest = max(((row.approved_date, row.version_number) for row in approved), default=None)
    return {row.financial_year: row.target_gbp for row in approved if (row.approved_date, row.version_number) == newest}


def k051(council: Council) -> Iterator[Counted]:
    """K051: projects "with a stated level of governance that have a target version approved on or before the month end and
    are not closed on it: the latest highlight report of the project dated on or before the month end with a status label,
    if there is any, has another than Closed or Completed".
    """
    reports = council.extracts.rows("programme.highlight_reports")
    for ending in council.month_ends:
        for project in council.extracts.rows("programme.projects"):
            said = [
                (row.report_date, row.status_code)
                for row in reports
                if row.project_ref == project.project_ref and row.report_date <= ending and row.status_code
            ]
            is_closed = bool(said) and max(said)[1] == "Closed or Completed"
            has_target = bool(version_in_force(council, project.project_ref, ending))
            if project.governance_level_code and has_target and not is_closed:
                yield Counted(ending, 1, other=project.governance_level_code)


def k052(council: Council) -> Iterator[Counted]:
    """K052: "A request belongs to the first paper of its council (seed change_papers) dated on or after the day it was
    made, or decided where that day is not recorded; a council without listed papers reports at each month end"; "a year
    before the financial year of the paper counting in the latter (R25)".
    """
    papers = sorted(
        date.fromisoformat(row["report_date"])
        for row in seed("change_papers")
        if row["council_code"] == council.folder.name
    )
    paper_of = {}
    for request in council.extracts.rows("programme.change_requests"):
        day = request.requested_date or request.decided_date
        if day is not None:
            later = [paper for paper in papers if paper >= day] if papers else [month_end(day)]
            if later and later[0] <= council.as_at:
                paper_of[request.request_ref] = later[0]
    for row in council.extracts.rows("programme.change_request_profiles"):
        paper = paper_of.get(row.request_ref)
        if paper is not None and row.change_gbp is not None:
            yield Counted(paper, row.change_gbp, other=max(row.financial_year, financial_year(paper)))


ACHIEVED_EFFECTS = {"in_year", "year_to_date", "year_end"}


def _achieved(council: Council) -> list[Row]:
    return [
        row
        for row in council.extracts.rows("programme.project_figures")
        if row.figure_code == "achieved" and row.amount_gbp is not None and row.effect_code in ACHIEVED_EFFECTS
    ]


def k063(council: Council) -> Iterator[Counted]:
    """K063: figures "of class achieved, kind cashable, with an amount, whose period is a single financial year not after
    that of the month end and whose effect is in_year, year_to_date or year_end; for each project and financial year the
    figure with the latest as-of date on or before the month end (of several, the latest report date, then the greatest
    amount)".
    """
    for ending, _, row in _delivered(council):
        yield Counted(ending, row.amount_gbp, other=row.project_ref)


def k064(council: Council) -> Iterator[Counted]:
    """K064: "As K063, of the financial year of the month end alone"."""
    for ending, year, row in _delivered(council):
        if year == financial_year(ending):
            yield Counted(ending, row.amount_gbp, other=row.project_ref)


def _delivered(council: Council) -> Iterator[tuple[date, str, Row]]:
    single = re.compile(r"\d{4}/\d{2}")
    figures = [
        row for row in _achieved(council) if row.savings_kind_code == "cashable" and single.fullmatch(row.period)
    ]
    for ending in council.month_ends:
        by_year = defaultdict(list)
        for row in figures:
            if row.as_of_date <= ending and row.period <= financial_year(ending):
                by_year[row.project_ref, row.period].append(row)
        for (_, year), rows in by_year.items():
            yield ending, year, max(rows, key=lambda row: (row.as_of_date, row.report_date, row.amount_gbp))


def achieved_savings_days(council: Council) -> list[date]:
    """Give the as-of dates "on which every project with a target in force on that day for its financial year has a figure
    of that day and year of class achieved, with an amount and effect in_year/year_to_date/year_end (any kind)".
    """
    stated = {(row.as_of_date, row.period, row.project_ref) for row in _achieved(council)}
    projects = {row.project_ref for row in council.extracts.rows("programme.target_versions")}
    found = []
    for day in sorted({day for day, _, _ in stated}):
        year = financial_year(day)
        due = [project for project in projects if year in version_in_force(council, project, day)]
        if due and all((day, year, project) in stated for project in due):
            found.append(day)
    return found


def governed_days(council: Council) -> list[date]:
    """Give the days of approval of "an approved target version of a project with a stated level of governance"."""
    governed = {row.project_ref for row in council.extracts.rows("programme.projects") if row.governance_level_code}
    return [
        row.approved_date
        for row in council.extracts.rows("programme.target_versions")
        if row.project_ref in governed and row.decision_code == "approved" and row.approved_date is not None
    ]


def whole_year_target(council: Council, projects: set[str], ending: date) -> Decimal | None:
    """Give the "whole target of the financial year in the version in force on the month end", none without one."""
    year = financial_year(ending)
    stated = [
        versions[year] for project in projects if year in (versions := version_in_force(council, project, ending))
    ]
    return sum(stated, Decimal(0)) if stated else None
