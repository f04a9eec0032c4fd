"""What a source has not delivered has no figures: they would be low, or saved, for want of data alone."""

from collections.abc import Iterator
from datetime import date

import pytest

from carehouse.build import build
from carehouse.settings import Settings
from expectations.gate import render, run_gate
from tests import read_project
from tests.conftest import Warehouse, fresh_warehouse

pytestmark = pytest.mark.any_server

DELIVERED = date(2018, 10, 31)
# Mosaic may be three days old by its contracts, a register 45.
AS_AT = date(2018, 12, 31)
LATEST = {"mosaic": date(2018, 10, 31), "registers": date(2018, 11, 30)}
# A mart of one source -> the column with the period's end.
MARTS = {
    "kpi_carers": ("mosaic", "period_end_date"),
    "kpi_front_door": ("mosaic", "period_end_date"),
    "kpi_hospital_discharges": ("mosaic", "period_end_date"),
    "kpi_package_costs": ("mosaic", "month_end_date"),
    "kpi_placements_and_costs": ("mosaic", "period_end_date"),
    "kpi_reablement": ("mosaic", "period_end_date"),
    "kpi_reviews": ("mosaic", "month_end_date"),
    "kpi_safeguarding": ("mosaic", "period_end_date"),
    "kpi_housing_with_care": ("registers", "period_end_date"),
    "kpi_shared_lives": ("registers", "period_end_date"),
}


@pytest.fixture(scope="module")
def stopped(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A council whose last extracts are of October, built as at December."""
    with fresh_warehouse(server, tmp_path_factory.mktemp("stopped") / "home") as fresh:
        for arguments in (("synth", "--people", "300"), ("ingest", "--business-date", str(DELIVERED))):
            done = fresh.command(*arguments)
            assert done.returncode == 0, done.stderr
        read_project.hand_over(fresh.settings)
        build_id = build(fresh.settings, AS_AT)
        report = run_gate(fresh.settings, build_id)
        assert report.passed, render(report)
        yield fresh


def test_no_figure_ends_after_what_its_source_answers_for(stopped: Warehouse) -> None:
    latest = stopped.rows(
        """
        select measures.source_name, max(figures.period_end_date), count(distinct figures.measure_id)
        from candidate.kpi_values as figures
        inner join candidate.dim_measure as measures on figures.measure_id = measures.measure_id
        where figures.how_obtained_code = 'calculated' and measures.source_name in ('mosaic', 'registers')
        group by measures.source_name
        """
    )
    assert {source: day for source, day, _ in latest} == LATEST
    assert all(count > 3 for *_, count in latest)


def test_the_latest_figures_of_a_source_that_stopped_say_so(stopped: Warehouse) -> None:
    said = stopped.rows(
        """
        select period_end_date, array_agg(distinct data_status_code)
        from candidate.kpi_values where measure_id = 'K001' and breakdown_type = 'council'
        group by period_end_date order by period_end_date desc limit 2
        """
    )
    assert said == [(date(2018, 10, 31), ["stale_source"]), (date(2018, 9, 30), ["final"])]


@pytest.mark.parametrize("mart", MARTS)
def test_marts_of_a_subject_end_there_too(mart: str, stopped: Warehouse) -> None:
    source, column = MARTS[mart]
    ((latest, statuses),) = stopped.rows(
        f"""
        select {column}, array_agg(distinct data_status_code)
        from candidate.{mart} group by {column} order by {column} desc limit 1
        """
    )
    assert (latest, statuses) == (LATEST[source], ["stale_source"])


def test_of_two_sources_each_answers_for_its_own_columns(stopped: Warehouse) -> None:
    rows = stopped.rows(
        """
        select period_end_date, package_count is not null, recouped_to_date_gbp is not null
        from candidate.kpi_direct_payments order by period_end_date desc limit 2
        """
    )
    assert rows == [(LATEST["registers"], False, True), (LATEST["mosaic"], True, True)]
