"""The invented savings programme: its tree, its projects, and the targets they are given and given anew."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date, day_of
from ingestion.synth.splits import PROJECTS

REVIEWS, MOVES, DIRECT, PRICES, ADULTHOOD = PROJECTS[1:]
TECHNOLOGY, BROKERAGE, EQUIPMENT = "SP-TECHNOLOGY", "SP-BROKERAGE", "SP-EQUIPMENT"
HEALTH, ENABLING, LIVING = "SP-HEALTH", "SP-ENABLING", "SP-LIVES"
POUNDS_A_THOUSAND = 1_000

TREE = (
    ("L", "Living Well Portfolio", "portfolio", None, 1),
    ("L1", "Independence", "programme", "L", 2),
    ("L1A", "Packages and reviews", "sub-programme", "L1", 3),
    ("L1B", "Places to live", "sub-programme", "L1", 4),
    ("L2", "Charges and Contracts", "programme", "L", 5),
)


@dataclass(frozen=True)
class Project:
    """One invented project; `yearly_pounds` is what it is to save a year for every 1,000 people of the council."""

    ref: str
    name: str
    programme: str
    kind: str
    savings_type: str
    governance: str
    yearly_pounds: int
    activity: str
    aliases: str | None = None


INVENTED = (
    Project(REVIEWS, "Targeted Reviews", "L1A", "cashable", "cashable", "high", 2_000, "packages reduced at a review"),
    Project(MOVES, "Alternative Places to Live", "L1B", "cashable", "cashable", "high", 170_000,
            "moves to a more independent setting", "Alternative Settings; Moving On"),
    Project(DIRECT, "Direct Payments First", "L1B", "cashable", "cashable", "low", 20_000,
            "packages taken as a direct payment", "DP First"),
    Project(TECHNOLOGY, "Assistive Technology", "L1A", "cost_avoidance", "cost avoidance", "low", 40_000,
            "installations", "AT"),
    Project(BROKERAGE, "Brokerage for Self-Funders", "L2", "income", "income", "low", 1_500, "agreements signed"),
    Project(EQUIPMENT, "Equipment Pool", "L2", "cashable", "cashable", "low", 4_000,
            "items collected for reuse", "Loans"),
    Project(PRICES, "Prices of Younger Adults' Placements", "L1B", "cashable", "cashable", "high", 30_000,
            "prices agreed lower"),
    Project(ADULTHOOD, "Preparing for Adulthood", "L1A", "cashable", "cashable", "low", 4_000,
            "packages reduced on the way to adulthood", "Transitions"),
    Project(HEALTH, "Continuing Health Care", "L2", "income", "income", "high", 400_000,
            "packages with a health share", "CHC"),
    Project(ENABLING, "Enabling Service", "L1A", "cost_avoidance", "cost avoidance", "low", 20_000,
            "people helped to do without a package"),
    Project(LIVING, "Improving Lives", "L1A", "cashable", "cashable", "low", 15_000, "contacts resolved early"),
)  # fmt: skip
# Each winter the next three years are planned; each change that is asked for moves so much of a year into the next.
YEARS_PLANNED, MOVED_PERCENT = 3, 20
# Who asks for a change in which year since the first, of which type, and what is decided.
CHANGES = (
    (1, REVIEWS, "acceleration", "approved"),
    (1, MOVES, "slippage", "approved"),
    (1, EQUIPMENT, "alternative_delivery_and_write_off", "approved"),
    (2, DIRECT, "slippage", "rejected"),
    (2, REVIEWS, "partial_write_off", "requested"),
    (3, TECHNOLOGY, "extension", "approved"),
    (4, MOVES, "partial_write_off", "deferred"),
)
PLANNED_ON, ASKED_ON, DECIDED_ON = (2, 22), (11, 5), (1, 14)
COMMITTEE = "Care Committee"


def programme_rows(_lives: Lives, _night: int) -> pl.DataFrame:
    """Give the programme register, the same on every night."""
    columns = ["programme_ref", "programme_name", "level_code", "parent_programme_ref", "report_order"]
    return pl.DataFrame(list(TREE), schema=columns, orient="row")


def project_rows(_lives: Lives, _night: int) -> pl.DataFrame:
    """Give the project register, the same on every night."""
    return pl.DataFrame(
        {
            "project_ref": [each.ref for each in INVENTED],
            "project_name": [each.name for each in INVENTED],
            "programme_ref": [each.programme for each in INVENTED],
            "savings_type": [each.savings_type for each in INVENTED],
            "aliases": [each.aliases for each in INVENTED],
            "is_adult_social_care": [True] * len(INVENTED),
            "governance_level_code": [each.governance for each in INVENTED],
            "activity_measure": [each.activity for each in INVENTED],
        }
    ).with_columns(pl.lit(None, pl.String).alias(name) for name in ("reported_under", "purpose", "source_systems"))


def year_of(starting_year: int) -> str:
    """Write a financial year as 2018/19."""
    return f"{starting_year}/{(starting_year + 1) % 100:02d}"


def starting_years(lives: Lives) -> list[int]:
    """Give the calendar years in which the period's financial years begin."""
    return sorted({month.starting_year for month in lives.months})


def yearly_target(lives: Lives, project: Project) -> int:
    """Give what a project is to save in a year before any change, in £000."""
    return max(1, project.yearly_pounds * lives.people.count // 1_000 // POUNDS_A_THOUSAND)


@dataclass(frozen=True)
class Change:
    """One change that is asked for: what it takes from its year and adds to the next, in £000."""

    ref: str
    project: Project
    starting_year: int
    kind: str
    decision: str
    asked: int
    decided: int
    expected: tuple[int, int]
    change: tuple[int, int]

    def decision_on(self, night: int) -> str:
        """Give where the request stands on a night."""
        return self.decision if night >= self.decided else "requested"


def changes(lives: Lives) -> list[Change]:
    """Give every change that is asked for in the period, in order."""
    first = starting_years(lives)[0]
    found = []
    for number, (years_on, ref, kind, decision) in enumerate(CHANGES, start=1):
        project = next(each for each in INVENTED if each.ref == ref)
        year, target = first + years_on, yearly_target(lives, project)
        moved = max(1, target * MOVED_PERCENT // 100)
        change = {
            "acceleration": (moved, -moved),
            "slippage": (-moved, moved),
            "extension": (0, moved),
            "partial_write_off": (-moved, 0),
            "alternative_delivery_and_write_off": (-moved, moved // 2),
        }[kind]
        asked, decided = day_of(date(year, *ASKED_ON)), day_of(date(year + 1, *DECIDED_ON))
        found.append(Change(f"CR{number:03d}", project, year, kind, decision, asked, decided, (target, target), change))
    return found


def change_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the change log as it stands on a night."""
    rows = []
    for each in (each for each in changes(lives) if each.asked <= night):
        total, moved = sum(each.expected), sum(each.change)
        decision = each.decision_on(night)
        is_replaced = each.kind == "alternative_delivery_and_write_off"
        rows.append(
            {
                "request_ref": each.ref,
                "project_ref": each.project.ref,
                "project_name": each.project.name,
                "department": "Adult Social Care",
                "requested_day": each.asked,
                "change_type_code": each.kind,
                "decision_code": decision,
                "decided_day": None if decision == "requested" else each.decided,
                "decided_by": None if decision == "requested" else COMMITTEE,
                "expected_total_gbp": total * 100,
                "revised_total_gbp": (total + moved) * 100,
                "change_total_gbp": moved * 100,
                "alternative_delivery_gbp": each.change[1] * 100 if is_replaced else None,
                "write_off_gbp": -moved * 100 if is_replaced else None,
            }
        )
    schema = {
        "request_ref": pl.String, "project_ref": pl.String, "project_name": pl.String, "department": pl.String,
        "requested_day": pl.Int64, "change_type_code": pl.String, "decision_code": pl.String, "decided_day": pl.Int64,
        "decided_by": pl.String, "expected_total_gbp": pl.Int64, "revised_total_gbp": pl.Int64,
        "change_total_gbp": pl.Int64, "alternative_delivery_gbp": pl.Int64, "write_off_gbp": pl.Int64,
    }  # fmt: skip
    return (
        pl.DataFrame(rows, schema=schema)
        .with_columns(
            as_date(pl.col("requested_day")).alias("requested_date"),
            as_date(pl.col("decided_day")).alias("decided_date"),
            pl.lit(None, pl.String).alias("option_reference"),
            pl.lit(None, pl.String).alias("total_as_printed"),
        )
        .drop("requested_day", "decided_day")
    )


def profile_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the profiles of the change log as it stands on a night."""
    rows = [
        (each.ref, year_of(each.starting_year + place), each.expected[place], each.change[place])
        for each in changes(lives)
        if each.asked <= night
        for place in (0, 1)
    ]
    schema = {"request_ref": pl.String, "financial_year": pl.String, "expected": pl.Int64, "change": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").select(
        "request_ref",
        "financial_year",
        (pl.col("expected") * 100).alias("expected_gbp"),
        ((pl.col("expected") + pl.col("change")) * 100).alias("revised_gbp"),
        (pl.col("change") * 100).alias("change_gbp"),
    )


def alternative_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give what is put in place of savings that will not be made, as asked for by a night."""
    rows = [
        (each.ref, 1, "Underspend of the equipment budget", "One year only", each.change[1] * 100,
         year_of(each.starting_year + 1), False, None)
        for each in changes(lives)
        if each.asked <= night and each.kind == "alternative_delivery_and_write_off"
    ]  # fmt: skip
    schema = {
        "request_ref": pl.String, "line_number": pl.Int64, "option_name": pl.String, "detail": pl.String,
        "amount_gbp": pl.Int64, "from_financial_year": pl.String, "is_conditional": pl.Boolean,
        "amount_as_printed": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass(frozen=True)
class Version:
    """One version of a project's targets: `targets` is £000 by starting year."""

    project: Project
    name: str
    requested: int | None
    approved: int
    decision: str
    targets: dict[int, int]
    request_ref: str | None


def versions(lives: Lives) -> dict[str, list[Version]]:
    """Give each project's versions in order: one each winter, one for each change that is asked for."""
    years = starting_years(lives)
    asked = changes(lives)
    found: dict[str, list[Version]] = {}
    for project in INVENTED:
        usual = yearly_target(lives, project)
        in_force: dict[int, int] = {}
        found[project.ref] = []
        for year in years:
            planned = {each: in_force.get(each, usual) for each in range(year, year + YEARS_PLANNED)}
            in_force = {**{each: target for each, target in in_force.items() if each < year}, **planned}
            approved = day_of(date(year, *PLANNED_ON))
            found[project.ref].append(
                Version(project, f"Plan {year_of(year)}", None, approved, "approved", dict(in_force), None)
            )
            for each in asked:
                if each.project == project and each.starting_year == year:
                    changed = dict(in_force)
                    for place in (0, 1):
                        changed[year + place] = changed.get(year + place, usual) + each.change[place]
                    found[project.ref].append(
                        Version(
                            project, f"Change {each.ref}", each.asked, each.decided, each.decision, changed, each.ref
                        )
                    )
                    in_force = changed if each.decision == "approved" else in_force
    return found


def targets_on(lives: Lives, night: int) -> dict[str, dict[int, int]]:
    """Give each project's approved targets in force on a night, £000 by starting year (R24)."""
    return {
        ref: next(
            (each.targets for each in reversed(of_project) if each.decision == "approved" and each.approved <= night),
            {},
        )
        for ref, of_project in versions(lives).items()
    }


def version_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the target versions extract as it stands on a night."""
    rows = []
    for ref, of_project in versions(lives).items():
        for number, each in enumerate(of_project, start=1):
            if night < (each.approved if each.requested is None else each.requested):
                continue
            decision = each.decision if each.requested is None or night >= each.approved else "requested"
            is_approved = decision == "approved"
            for year, target in sorted(each.targets.items()):
                rows.append(
                    (ref, number, year_of(year), each.name, target * 100, each.requested,
                     each.approved if is_approved else None, "day" if is_approved else None,
                     COMMITTEE if is_approved else None, decision, each.request_ref)
                )  # fmt: skip
    schema = {
        "project_ref": pl.String, "version_number": pl.Int64, "financial_year": pl.String, "version_name": pl.String,
        "target_gbp": pl.Int64, "requested": pl.Int64, "approved": pl.Int64, "approved_precision_code": pl.String,
        "approved_by": pl.String, "decision_code": pl.String, "request_ref": pl.String,
    }  # fmt: skip
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            as_date(pl.col("requested")).alias("requested_date"), as_date(pl.col("approved")).alias("approved_date")
        )
        .drop("requested", "approved")
    )
