"""Invented savings: claims with their evidence in packages and homes, finance's validation, and monthly reports."""

from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.charges import ANNUAL_FEE_PENCE, invent_agreements
from ingestion.synth.equipment import installation_ref, invent_installations
from ingestion.synth.lives import Lives
from ingestion.synth.periods import Month, as_date, day_of
from ingestion.synth.programme import (
    ADULTHOOD,
    BROKERAGE,
    DIRECT,
    INVENTED,
    MOVES,
    PRICES,
    REVIEWS,
    TECHNOLOGY,
    TREE,
    Project,
    targets_on,
    year_of,
)
from ingestion.synth.provider_payments import DAYS_A_WEEK, financial_year
from ingestion.synth.splits import NO_PROJECT, PROJECTS

WEEKS_A_YEAR = 52
EVIDENCE = {
    REVIEWS: "review",
    MOVES: "move",
    DIRECT: "direct_payment",
    PRICES: "price_change",
    ADULTHOOD: "review",
}
CLAIMED_AFTER_DAYS, VALIDATED_AFTER_DAYS, REJECTED_PERCENT = 20, 45, 6
VALIDATED_QUARTERLY_AFTER_DAYS = 40
PENCE_A_THOUSAND_POUNDS = 100_000
STATUSES = ("On Target", "Experiencing Obstacles", "At Risk")
YEARS_REPORTED = 3


# Several extracts of a night read it, and a change feed that of the night before too.
@lru_cache(maxsize=2)
def claims(lives: Lives) -> pl.DataFrame:
    """Give every claim: one row is one event that saved money, claimed once by one project (R34, R35).

    Money is pence, days are since 1970; `decided` is the day on which finance decides.
    """
    before = pl.col("weekly_pence").shift().over("person")
    cheaper = (
        lives.services.sort("person", "start", "element_ref", "split_number")
        .with_columns(before=before)
        .filter(pl.col("project") != NO_PROJECT, pl.col("start") >= lives.first_day)
        .select(
            pl.col("project").replace_strict(dict(enumerate(PROJECTS)), return_dtype=pl.String).alias("project_ref"),
            pl.format("SC{}-{}", "element_ref", "split_number").alias("claim_ref"),
            "person",
            "element_ref",
            "split_number",
            pl.lit(None, pl.String).alias("installation_ref"),
            pl.col("start").alias("effective"),
            pl.col("entered").alias("known"),
            "before",
            pl.col("weekly_pence").alias("after"),
            (pl.col("before") - pl.col("weekly_pence")).alias("weekly"),
            pl.lit("cashable").alias("savings_kind"),
            pl.col("element_ref").alias("key"),
        )
    )
    avoided = invent_installations(lives).filter(pl.col("pence") > 0)
    avoided = avoided.select(
        pl.lit(TECHNOLOGY).alias("project_ref"),
        pl.format("SCAT{}", "number").alias("claim_ref"),
        "person",
        pl.lit(None, pl.Int64).alias("element_ref"),
        pl.lit(None, pl.Int64).alias("split_number"),
        installation_ref().alias("installation_ref"),
        pl.col("installed").alias("effective"),
        pl.col("installed").alias("known"),
        pl.lit(None, pl.Int64).alias("before"),
        pl.lit(None, pl.Int64).alias("after"),
        pl.col("pence").alias("weekly"),
        pl.lit("cost_avoidance").alias("savings_kind"),
        pl.col("number").alias("key"),
    )
    found = pl.concat([cheaper, avoided])
    key = found["key"].to_numpy()
    began = as_date(pl.col("effective")).dt.offset_by("-3mo").dt.year()
    year_ends = pl.date(began + 1, 3, 31).cast(pl.Int32).cast(pl.Int64)
    return found.with_columns(
        year=began.cast(pl.Int64),
        in_year=(year_ends - pl.col("effective") + 1) * pl.col("weekly") // DAYS_A_WEEK,
        full_year=pl.col("weekly") * WEEKS_A_YEAR,
        claimed=pl.col("known") + CLAIMED_AFTER_DAYS,
        decided=pl.col("known")
        + CLAIMED_AFTER_DAYS
        + VALIDATED_AFTER_DAYS
        + pl.Series(fate(lives.seed, "decided", key, 60)),
        is_rejected=pl.Series(fate(lives.seed, "rejected claim", key, 100) < REJECTED_PERCENT, dtype=pl.Boolean),
    ).sort("claimed", "claim_ref")


def evidence_of() -> pl.Expr:
    """Give the kind of event that claims of a project name."""
    return pl.col("project_ref").replace_strict(EVIDENCE, default="installation", return_dtype=pl.String)


def claim_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the claims extract as it stands on a night."""
    seen = claims(lives).filter(pl.col("claimed") <= night)
    person, known, key = (seen[name].to_numpy() for name in ("person", "known", "key"))
    is_decided = pl.col("decided") <= night
    outcome = pl.when("is_rejected").then(pl.lit("rejected")).otherwise(pl.lit("validated"))
    return seen.select(
        "claim_ref",
        "project_ref",
        evidence_of().alias("evidence_code"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, known, key, night)),
        "element_ref",
        "split_number",
        "installation_ref",
        as_date(pl.col("effective")).alias("effective_date"),
        pl.col("before").alias("weekly_before_gbp"),
        pl.col("after").alias("weekly_after_gbp"),
        financial_year(pl.col("effective")).alias("financial_year"),
        pl.col("in_year").alias("in_year_gbp"),
        pl.col("full_year").alias("full_year_gbp"),
        pl.col("savings_kind").alias("savings_kind_code"),
        as_date(pl.col("claimed")).alias("claimed_date"),
        pl.when(is_decided).then(outcome).otherwise(pl.lit("waiting")).alias("validation_code"),
        as_date(pl.when(is_decided).then("decided")).alias("validated_date"),
    )


def validation_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give finance's validations as they stand on a night: a project's claims of a quarter, looked at after it."""
    known = claims(lives).filter(pl.col("claimed") <= night)
    quarter = as_date(pl.col("effective")).dt.truncate("1q")
    last = quarter.dt.offset_by("1q").dt.offset_by("-1d")
    decided = last.dt.offset_by(f"{VALIDATED_QUARTERLY_AFTER_DAYS}d")
    stands = (~pl.col("is_rejected")) & (pl.col("decided") <= night)
    by_quarter = known.group_by("project_ref", "savings_kind", first=quarter, last=last, decided_date=decided).agg(
        claimed=pl.col("in_year").sum(), validated=pl.col("in_year").filter(stands).sum()
    )
    is_decided = pl.col("decided_date").cast(pl.Int32) <= night
    is_over = pl.col("last").cast(pl.Int32) <= night
    return (
        by_quarter.filter(is_over)
        .sort("project_ref", "first")
        .select(
            "project_ref",
            pl.col("first").alias("period_start_date"),
            pl.col("last").alias("period_end_date"),
            pl.col("savings_kind").alias("savings_kind_code"),
            pl.when(is_decided).then(pl.lit("validated")).otherwise(pl.lit("in_progress")).alias("validation_code"),
            pl.when(is_decided).then("decided_date").alias("validated_date"),
            pl.col("claimed").alias("claimed_gbp"),
            pl.when(is_decided).then("validated").alias("validated_gbp"),
            pl.lit(None, pl.String).alias("report_name"),
        )
    )


def _reports(lives: Lives, night: int) -> list[Month]:
    return [month for month in lives.months if month.last <= night]


def _achieved(claimed: pl.DataFrame, agreements: pl.DataFrame, month: Month) -> dict[str, int]:
    """Give each project's saving in the year to a month end, in £000, from what was claimed by then."""
    known = claimed.filter(pl.col("claimed") <= month.last, pl.col("year") == month.starting_year)
    pence = dict(known.group_by("project_ref").agg(pl.col("in_year").sum()).iter_rows())
    fees = agreements.filter(pl.col("signed") <= month.last, pl.col("ceased") > month.last)
    pence[BROKERAGE] = fees.height * ANNUAL_FEE_PENCE * month.period // 12
    return {project.ref: pence.get(project.ref, 0) // PENCE_A_THOUSAND_POUNDS for project in INVENTED}


def _forecast(lives: Lives, project: Project, month: Month, year: int, target: int) -> int:
    """Forecast a year, in £000: near its target, and nearer the later the month."""
    number = np.array([INVENTED.index(project) * 1_000_000 + year * 100 + month.serial % 100])
    percent = 80 + int(fate(lives.seed, "forecast", number, 51)[0])
    return target * percent // 100


# Several extracts of a night read it, and a change feed that of the night before too.
@lru_cache(maxsize=2)
def project_figures(lives: Lives, night: int) -> pl.DataFrame:
    """Give targets, forecasts and amounts at risk of the reported years, and achievements, month by month, in £000."""
    claimed, agreements = claims(lives), invent_agreements(lives)
    rows = []
    for month in _reports(lives, night):
        targets, achieved = targets_on(lives, month.last), _achieved(claimed, agreements, month)
        for project in INVENTED:
            for year in range(month.starting_year, month.starting_year + YEARS_REPORTED):
                target = targets[project.ref].get(year)
                if target is None:
                    continue
                is_current = year == month.starting_year
                forecast = _forecast(lives, project, month, year, target)
                forecast = max(forecast, achieved[project.ref]) if is_current else forecast
                line = (month.last, project.ref, year)
                rows += [
                    (*line, "target", target),
                    (*line, "forecast", forecast),
                    (*line, "at_risk", target - forecast),
                ]
                if is_current:
                    rows.append((*line, "achieved", achieved[project.ref]))
    columns = {"day": pl.Int64, "project_ref": pl.String, "year": pl.Int64, "figure": pl.String, "thousands": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")


def figure_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the project figures as they stand on a night, one month's report after another."""
    kinds = {project.ref: project.kind for project in INVENTED}
    is_achieved = pl.col("figure") == "achieved"
    return project_figures(lives, night).select(
        as_date(pl.col("day")).alias("report_date"),
        "project_ref",
        as_date(pl.col("day")).alias("as_of_date"),
        pl.lit("day").alias("as_of_precision_code"),
        _year_text().alias("period"),
        pl.col("figure").str.replace("_", " ").alias("figure"),
        pl.when(is_achieved).then(pl.lit("year_to_date")).otherwise(pl.lit("in_year")).alias("effect_code"),
        pl.col("project_ref").replace_strict(kinds, return_dtype=pl.String).alias("savings_kind_code"),
        pl.col("figure").alias("figure_code"),
        (pl.col("thousands") * 100).alias("amount_gbp"),
        pl.lit(None, pl.Int64).alias("percent"),
        pl.lit(None, pl.String).alias("amount_as_printed"),
        pl.lit(value=False).alias("is_derived"),
        pl.lit(None, pl.String).alias("note"),
    )


def _year_text() -> pl.Expr:
    return pl.format("{}/{}", "year", ((pl.col("year") + 1) % 100).cast(pl.String).str.zfill(2))


def _status(at_risk: int, target: int) -> str:
    """A judgement near, but not bound to, the money: nobody computes a status from it (R02)."""
    share = 100 * at_risk // max(target, 1)
    return STATUSES[0 if share <= 5 else 1 if share <= 14 else 2]


def _statuses(lives: Lives, night: int) -> dict[tuple[int, str], str]:
    """Give each project's status by report day."""
    known: dict[tuple[int, str], dict[str, int]] = {}
    years = {month.last: month.starting_year for month in _reports(lives, night)}
    for day, ref, year, figure, thousands in project_figures(lives, night).iter_rows():
        if year == years[day]:
            known.setdefault((day, ref), {})[figure] = thousands
    return {line: _status(figures["at_risk"], figures["target"]) for line, figures in known.items()}


def _trend(before: str | None, now: str) -> str | None:
    if before is None:
        return None
    change = STATUSES.index(now) - STATUSES.index(before)
    return "Same" if change == 0 else "Better" if change < 0 else "Worse"


def highlight_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the highlight reports as they stand on a night, one month's after another."""
    statuses = _statuses(lives, night)
    rows, before = [], dict[str, str]()
    for (day, ref), status in statuses.items():
        comment = f"Forecast reviewed with the team; status {status.lower()}."
        rows.append((day, ref, before.get(ref), status, _trend(before.get(ref), status), comment))
        before[ref] = status
    columns = ["day", "project_ref", "previous_status_code", "status_code", "trend_code", "comment"]
    schema = dict.fromkeys(columns, pl.String) | {"day": pl.Int64}
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            as_date(pl.col("day")).alias("report_date"),
            pl.lit(None, pl.String).alias("report_name"),
            pl.lit("stated").alias("status_basis_code"),
            pl.lit(None, pl.String).alias("status_words"),
        )
        .drop("day")
    )


def _by_programme(lives: Lives, night: int, figure: str) -> pl.DataFrame:
    """Add the projects' figures up to their programmes, which carry the money of a status report."""
    parents = {ref: parent for ref, _, _, parent, _ in TREE}
    levels = {ref: level for ref, _, level, _, _ in TREE}
    programmes = {
        project.ref: project.programme if levels[project.programme] == "programme" else parents[project.programme]
        for project in INVENTED
    }
    return (
        project_figures(lives, night)
        .filter(pl.col("figure") == figure)
        .with_columns(programme_ref=pl.col("project_ref").replace_strict(programmes, return_dtype=pl.String))
        .group_by("day", "programme_ref", "year", maintain_order=True)
        .agg(pl.col("thousands").sum())
        .select(as_date(pl.col("day")).alias("report_date"), "programme_ref", "year", "thousands")
    )


def target_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the programmes' targets as they stand on a night, report by report."""
    return _by_programme(lives, night, "target").select(
        "report_date", "programme_ref", _year_text().alias("financial_year"), target_gbp=pl.col("thousands") * 100
    )


def at_risk_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the programmes' amounts at risk as they stand on a night, report by report."""
    return _by_programme(lives, night, "at_risk").select(
        "report_date", "programme_ref", _year_text().alias("financial_year"), at_risk_gbp=pl.col("thousands") * 100
    )


def alternative_delivery_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give what programmes delivered in an alternative way: some of what the charges fall short of, since autumn."""
    rows = [
        (month.last, "L2", 100 * max(1, lives.people.count // 500))
        for month in _reports(lives, night)
        if month.period >= 6
    ]
    schema = {"day": pl.Int64, "programme_ref": pl.String, "alternative_delivery_gbp": pl.Int64}
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(as_date(pl.col("day")).alias("report_date"))
        .drop("day")
    )


def status_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the statuses of the tree as they stand on a night: each node is as its most worried project, or half so."""
    statuses = _statuses(lives, night)
    parents = {ref: parent for ref, _, _, parent, _ in TREE}
    rows, before = [], dict[str, str]()
    for month in _reports(lives, night):
        for node, _, level, _, _ in TREE:
            inside = [
                STATUSES.index(statuses[month.last, project.ref])
                for project in INVENTED
                if (month.last, project.ref) in statuses and node in _line_up(project.programme, parents)
            ]
            if not inside:
                continue
            worst = max(inside)
            # A portfolio stays on target although some of it struggles (R03).
            status = STATUSES[min(worst, sum(inside) // len(inside)) if level == "portfolio" else worst]
            rows.append((month.last, node, before.get(node), status, _trend(before.get(node), status)))
            before[node] = status
    columns = ["day", "programme_ref", "previous_status_code", "status_code", "trend_code"]
    schema = dict.fromkeys(columns, pl.String) | {"day": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(as_date(pl.col("day")).alias("report_date")).drop("day")


def _line_up(node: str, parents: dict[str, str | None]) -> list[str]:
    found: list[str] = []
    above: str | None = node
    while above is not None:
        found.append(above)
        above = parents[above]
    return found


def activity_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give activity targets and actuals as they stand on a night, quarter by quarter: events that were claimed."""
    rows = []
    known = claims(lives)
    for month in _reports(lives, night):
        if month.period % 3:
            continue
        year = month.starting_year
        counted = known.filter(pl.col("claimed") <= month.last, pl.col("year") == year)
        counts = dict(counted.group_by("project_ref").agg(pl.len()).iter_rows())
        for project in INVENTED:
            if project.ref not in (*EVIDENCE, TECHNOLOGY):
                continue
            target = max(1, project.yearly_pounds * lives.people.count // 1_000 // 3_000)
            actual = counts.get(project.ref, 0)
            to_date = target * month.period // 12
            words = f"{target} ({to_date} year to date)"
            rows.append((month.last, project.ref, project.activity, f"{year_of(year)} to period {month.period}", words,
                         target * 100, to_date * 100, str(actual), actual * 100))  # fmt: skip
    schema = {
        "day": pl.Int64, "project_ref": pl.String, "activity_measure": pl.String, "period": pl.String,
        "target_text": pl.String, "target_value": pl.Int64, "target_to_date_value": pl.Int64, "actual_text": pl.String,
        "actual_value": pl.Int64,
    }  # fmt: skip
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            as_date(pl.col("day")).alias("report_date"),
            pl.lit(None, pl.String).alias("forecast_text"),
            pl.lit(None, pl.Int64).alias("forecast_low_value"),
            pl.lit(None, pl.Int64).alias("forecast_high_value"),
            pl.lit("events").alias("unit"),
            pl.lit("cumulative in the year").alias("grain"),
            pl.lit(None, pl.String).alias("source_systems"),
        )
        .drop("day")
    )


def total_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the totals of the financial plan as they stand on a night: each winter's plan, year by year."""
    rows = []
    for starting_year in sorted({month.starting_year for month in lives.months}):
        planned = date(starting_year, 2, 26)
        if day_of(planned) > night:
            continue
        together: dict[int, int] = {}
        for targets in targets_on(lives, day_of(planned)).values():
            for year, target in targets.items():
                together[year] = together.get(year, 0) + target
        rows += [
            (planned, f"Financial plan {year_of(starting_year)}", "Savings in the plan", year_of(year), target * 100)
            for year, target in sorted(together.items())
            if year >= starting_year
        ]
    schema = {
        "report_date": pl.Date, "report_name": pl.String, "row_name": pl.String, "period": pl.String,
        "amount_gbp": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit(None, pl.String).alias("amount_as_printed"), pl.lit("All kinds of saving").alias("scope_note")
    )
