"""Shows the published figures to people: on the console, and as one HTML page that needs nothing else."""

from decimal import Decimal
from pathlib import Path
from textwrap import fill
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from carehouse.figures import Figures, Row, StatusReport, published_figures
from carehouse.progress import say
from carehouse.settings import Settings

WIDER_THAN_ANY_TABLE = 1000
MONEY = ("gbp", "gbp_per_week", "gbp_per_year")


def print_kpis(settings: Settings) -> None:
    """Print the status reports, the latest measures, the ledger's last periods and what the gate checked."""
    figures = published_figures(settings)
    # A table that does not fit its console loses columns; a narrow terminal folds the lines instead.
    console = Console(highlight=False, width=WIDER_THAN_ANY_TABLE)
    console.print(
        f"Publication {figures.publication_id}: figures as known on {figures.as_at_date:%-d %B %Y}",
        style="bold",
    )
    for report in figures.status_reports:
        console.print(_status_table(report))
    console.print(_measure_table(figures))
    console.print(_ledger_table(figures))
    console.print(_check_table(figures))


def write_report(settings: Settings, to: Path | None = None) -> Path:
    """Write the page; give its path. It holds what `print_kpis` shows, and loads nothing from anywhere."""
    figures = published_figures(settings)
    path = to or settings.home / "reports" / f"publication_{figures.publication_id}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("carehouse"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(amount=amount, measured=_measured, figure=_figure)
    page = environment.get_template("report.html.j2").render(figures=figures)
    part = path.with_suffix(".part")
    part.write_text(page, encoding="utf-8")
    part.replace(path)
    say(f"wrote the report of publication {figures.publication_id}")
    return path


def amount(value: Decimal | int | None) -> str:
    """Write a number with thousands separators and as many decimals as it has; absent is blank, never 0."""
    return "" if value is None else f"{value:,}"


def _measured(value: Decimal | None, unit_code: str) -> str:
    if value is None:
        return ""
    if unit_code in MONEY:
        return f"{'-' if value < 0 else ''}£{abs(value):,.2f}"
    if unit_code == "percent":
        return f"{value:,.2f} %"
    return f"{value:,.{0 if value == value.to_integral_value() else 2}f}"


def _figure(row: Row) -> str:
    """Write a figure as a number where it is one, else in the words of the paper that states it."""
    return _measured(row["value"], row["unit_code"]) or row["value_text"] or ""


def _status_table(report: StatusReport) -> Table:
    table = _table(f"Status report of {report.council_code}, {report.report_date:%-d %B %Y} (amounts in £000)")
    for heading in ("", "Last month", "This month", "Trend"):
        table.add_column(fill(heading, 12))
    for heading in report.headings:
        table.add_column(fill(heading, 12), justify="right")
    for line in report.lines:
        words = [line[name] or "" for name in ("previous_status_code", "status_code", "trend_code")]
        table.add_row(line["programme_name"], *(fill(word, 12) for word in words), *map(amount, report.amounts(line)))
    return table


def _measure_table(figures: Figures) -> Table:
    table = _table("Latest measures")
    for heading in ("Council", "Measure", "", "Period"):
        table.add_column(heading)
    for heading in ("Numerator", "Denominator", "Value", "Target to date"):
        table.add_column(heading, justify="right")
    table.add_column("Status")
    table.add_column("Obtained")
    table.add_column("Data")
    for row in figures.measures:
        table.add_row(
            row["council_code"],
            row["measure_id"],
            row["measure_name"],
            row["period_label"],
            _measured(row["numerator"], "count"),
            _measured(row["denominator"], "count"),
            escape(_figure(row)),
            _measured(row["target_to_date"], row["unit_code"]),
            row["status_code"] or "",
            row["how_obtained_code"],
            row["data_status_code"],
        )
    return table


def _ledger_table(figures: Figures) -> Table:
    table = _table("Ledger, last periods (£)")
    columns: list[tuple[str, Any]] = [("Council", "left"), ("Year", "left"), ("Period", "right")]
    columns += [(heading, "right") for heading in ("Spend", "Income", "Net", "Lines")]
    for heading, justify in columns:
        table.add_column(heading, justify=justify)
    for row in figures.ledger:
        numbers = (row[name] for name in ("period_number", "spend_gbp", "income_gbp", "net_gbp", "line_count"))
        table.add_row(row["council_code"], row["financial_year"], *map(amount, numbers))
    return table


def _check_table(figures: Figures) -> Table:
    table = _table("What the gate checked")
    table.add_column("Suite")
    for heading in ("Checks", "Passed", "Failed", "Not applicable"):
        table.add_column(heading, justify="right")
    for row in figures.checks:
        table.add_row(row["suite"], *(str(row[name]) for name in ("checks", "passed", "failed", "not_applicable")))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", show_edge=False)
