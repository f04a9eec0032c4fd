"""The published figures that people are shown: gathered once, in one snapshot, as the mart reader."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings

Row = dict[str, Any]
YEAR_POSITIONS = range(1, 6)


@dataclass(frozen=True)
class StatusReport:
    """One council's status report of one day, as printed: years of the target block, years of the risk block, lines."""

    council_code: str
    report_date: date
    target_years: tuple[str, ...]
    risk_years: tuple[str, ...]
    lines: tuple[Row, ...]

    def amounts(self, line: Row) -> list[Decimal | None]:
        """Give a line's amounts in £000 in printed order; absent ones are None."""
        return [
            *(line[f"target_year_{position}_gbp_k"] for position in range(1, len(self.target_years) + 1)),
            line["target_total_gbp_k"],
            *(line[f"risk_year_{position}_gbp_k"] for position in range(1, len(self.risk_years) + 1)),
            line["risk_total_gbp_k"],
            line["alternative_delivery_gbp_k"],
            line["net_at_risk_gbp_k"],
        ]

    @property
    def headings(self) -> list[str]:
        """Name the amounts, in printed order."""
        return [
            *(f"Target {year}" for year in self.target_years),
            "Target total",
            *(f"At risk {year}" for year in self.risk_years),
            "At risk total",
            "Alternative way",
            "Net at risk",
        ]


@dataclass(frozen=True)
class Figures:
    """What one publication says.

    `record` is what is known of the publication itself, a row of mart.publication. One row of `measures` is the latest
    figure that stands for a measure of a council; of `ledger`, one of the last six periods of a council; of `checks`,
    one suite of the gate with its counts by outcome; of `deliveries`, one source of a council.
    """

    publication_id: int
    as_at_date: date
    published_at: datetime
    code_version: str
    status_reports: tuple[StatusReport, ...]
    measures: tuple[Row, ...]
    ledger: tuple[Row, ...]
    checks: tuple[Row, ...]
    record: Row
    deliveries: tuple[Row, ...]


def published_figures(settings: Settings) -> Figures:
    """Read the figures of the current publication.

    Raises:
        CarehouseError: nothing has been published yet.
    """
    with connect(settings, Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        asking = reader.cursor(row_factory=dict_row)
        current = asking.execute("select * from mart.publication where is_current").fetchone()
        if current is None:
            raise CarehouseError("Nothing has been published yet. Run a night first: carehouse run")
        return Figures(
            publication_id=current["publication_id"],
            as_at_date=current["as_at_date"],
            published_at=current["published_at"],
            code_version=current["code_version"],
            status_reports=_status_reports(asking),
            measures=tuple(
                asking.execute(
                    """
                    select distinct on (council_code, measure_id) *
                    from mart.kpi_values
                    where is_headline and (how_obtained_code = 'calculated' or num_nonnulls(value, value_text) > 0)
                    order by council_code, measure_id, period_end_date desc
                    """
                )
            ),
            ledger=tuple(
                asking.execute(
                    """
                    select council_code, financial_year, period_number, spend_gbp, income_gbp, net_gbp, line_count
                    from (
                        select
                            *,
                            row_number() over (
                                partition by council_code order by financial_year desc, period_number desc
                            ) as place
                        from mart.kpi_ledger_spend
                    ) as recent
                    where place <= 6
                    order by council_code, financial_year, period_number
                    """
                )
            ),
            checks=tuple(
                asking.execute(
                    """
                    select
                        suite,
                        count(*) as checks,
                        count(*) filter (where outcome = 'passed') as passed,
                        count(*) filter (where outcome in ('failed', 'error')) as failed,
                        count(*) filter (where outcome = 'not_applicable') as not_applicable
                    from mart.data_quality
                    group by suite
                    order by suite
                    """
                )
            ),
            record=current,
            deliveries=tuple(
                asking.execute(
                    """
                    select
                        council_code,
                        source_name,
                        count(*) as tables,
                        min(extract_date) as oldest_extract_date,
                        max(extract_date) as newest_extract_date,
                        sum(row_count)::bigint as row_count,
                        sum(rejected_row_count)::bigint as rejected_row_count
                    from mart.publication_batches
                    where publication_id = %s
                    group by council_code, source_name
                    order by council_code, source_name
                    """,
                    [current["publication_id"]],
                )
            ),
        )


def _status_reports(asking: psycopg.Cursor[Row]) -> tuple[StatusReport, ...]:
    lines = asking.execute(
        "select * from mart.kpi_portfolio_status order by council_code, report_date desc, report_order"
    ).fetchall()
    reports: dict[str, list[Row]] = {}
    for line in lines:
        of_council = reports.setdefault(line["council_code"], [])
        if not of_council or of_council[0]["report_date"] == line["report_date"]:
            of_council.append(line)
    return tuple(
        StatusReport(
            council_code=council,
            report_date=latest[0]["report_date"],
            target_years=_years(latest[0], "target"),
            risk_years=_years(latest[0], "risk"),
            lines=tuple(latest),
        )
        for council, latest in reports.items()
    )


def _years(line: Row, block: str) -> tuple[str, ...]:
    labels = (line[f"{block}_year_{position}_label"] for position in YEAR_POSITIONS)
    return tuple(label for label in labels if label is not None)
