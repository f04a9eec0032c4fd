"""What follows from the registry of measures: the seeds that the models read, and the page for people."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from carehouse.measures import FOLDER, Registered, Version, load

MARK = "Generated from dbt_project/measures by `carehouse contracts render`; do not edit."

REGISTRY_COLUMNS = (
    "measure_id",
    "measure_name",
    "area_code",
    "how_obtained_code",
    "obtained_from",
    "definition",
    "numerator_label",
    "denominator_label",
    "formula_code",
    "unit_code",
    "polarity_code",
    "period_types",
    "breakdown_types",
    "other_breakdown_code",
    "target_basis_code",
    "tolerance",
    "is_charted",
    "source_name",
    "owner_name",
    "cautions",
    "valid_from",
    "valid_to",
)
NEEDS_COLUMNS = ("measure_id", "valid_from", "dataset_code", "month_count", "is_since_year_start")

PERIODS_IN_WORDS = {
    "month": "month",
    "quarter": "quarter",
    "year_to_date": "year to date",
    "month_end": "month end",
    "rolling_12_months": "rolling 12 months",
    "financial_year": "financial year",
}


def wanted(project: Path, folder: Path = FOLDER) -> dict[Path, str]:
    """Give every file of the project that follows from the registry in `folder`, with the text it must have."""
    registered = load(folder)
    seeds = project / "dbt_project" / "seeds"
    return {
        seeds / "kpi_registry.csv": _csv(REGISTRY_COLUMNS, _registry(registered)),
        seeds / "kpi_needs.csv": _csv(NEEDS_COLUMNS, _needs(registered)),
        project / "docs" / "reference" / "measures.md": _page(registered),
    }


def _registry(registered: Iterable[Registered]) -> Iterable[Sequence[object]]:
    for one in registered:
        for version, valid_to in _versions(one):
            yield (
                one.measure.measure_id,
                one.measure.measure_name,
                one.area,
                version.obtained,
                " ".join(version.sources) if version.obtained == "calculated" else "; ".join(version.sources),
                version.definition,
                version.numerator,
                version.denominator,
                version.formula,
                version.unit,
                version.polarity,
                " ".join(version.periods),
                " ".join(["council", *version.breakdowns]),
                version.other_breakdown,
                version.target_basis,
                version.tolerance,
                "true" if version.charted else "false",
                version.source,
                version.owner,
                version.cautions,
                version.valid_from,
                valid_to,
            )


def _needs(registered: Iterable[Registered]) -> Iterable[Sequence[object]]:
    for one in registered:
        for version in one.measure.versions:
            for need in version.needs:
                since = "true" if need.since else "false"
                yield one.measure.measure_id, version.valid_from, need.dataset, need.months, since


def _versions(one: Registered) -> Iterable[tuple[Version, date | None]]:
    versions = one.measure.versions
    ends = [version.valid_from for version in versions[1:]]
    return zip(versions, [*ends, None], strict=True)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return written.getvalue()


def _page(registered: Sequence[Registered]) -> str:
    lines = [
        f"<!-- {MARK} -->",
        "# Measures",
        "",
        "What each measure means and how it is obtained: *calculated* from the facts named, *reported* (loaded from "
        "the return or paper named), or *waiting* for the source named. A version is in force from the day given.",
        "",
        "| Measure | Name | Area | Obtained |",
        "|---|---|---|---|",
    ]
    for one in registered:
        newest = one.measure.versions[-1]
        anchor = one.measure.measure_id.lower()
        lines.append(
            f"| [{one.measure.measure_id}](#{anchor}) | {_cell(one.measure.measure_name)} "
            f"| {one.area.replace('_', ' ')} | {newest.obtained} |"
        )
    lines.append("")
    for one in registered:
        lines += [f"## {one.measure.measure_id}", "", f"**{one.measure.measure_name}**", ""]
        for version, valid_to in reversed(list(_versions(one))):
            lines += _section(version, valid_to)
    return "\n".join(lines)


def _section(version: Version, valid_to: date | None) -> list[str]:
    until = f" until the day before {valid_to}" if valid_to else ""
    periods = ", ".join(PERIODS_IN_WORDS[period] for period in version.periods)
    breakdowns = [
        (version.other_breakdown or "") if breakdown == "other" else breakdown for breakdown in version.breakdowns
    ]
    parts = ", ".join(part.replace("_", " ") for part in ["council", *breakdowns])
    needs = "; ".join(
        f"{need.dataset} "
        + (
            "since the start of the financial year"
            if need.since
            else f"for {need.months} whole month{'s' if need.months != 1 else ''}"
            if need.months
            else "for the period"
        )
        for need in version.needs
    )
    lines = [
        f"In force from {version.valid_from}{until}. {version.definition}",
        "",
        f"- {version.obtained.capitalize()}: {', '.join(version.sources)}",
        f"- Numerator: {version.numerator}",
    ]
    if version.denominator:
        lines.append(f"- Denominator: {version.denominator}")
    lines += [
        f"- Formula: {version.formula.replace('_', ' ')}; unit: {version.unit.replace('_', ' ')}; "
        f"good is: {version.polarity}",
        f"- Periods: {periods}; by {parts}",
        f"- Target: {version.target_basis.replace('_', ' ')}; tolerance {version.tolerance}",
    ]
    if needs:
        lines.append(f"- Shown when the extracts hold {needs}")
    lines += [f"- Owner: {version.owner}; rests on {version.source}", f"- {version.cautions}", ""]
    return lines


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
