"""What has not been delivered has no figures: they would be low, or saved, for want of data alone."""

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


# What is counted from workflow steps ends when they do, be all other tables fresh.
COUNTED_FROM_STEPS = {"K001", "K004", "K005", "K006", "K034", "K035", "K036", "K037", "K058", "K067"}


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


# What a council does not deliver at all -> the measures that would be others without it, and look like any.
NEVER_DELIVERED = {"financial_assessments": {"K019", "K030"}, "alternative_delivery": {"K047", "K048"}}


@pytest.fixture(scope="module")
def without_steps(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A council of which most tables come each month; the last steps are of October, and two tables never come."""
    with fresh_warehouse(server, tmp_path_factory.mktemp("without_steps") / "home") as fresh:
        synth = ("synth", "--people", "300", "--to", str(AS_AT), "--every", "month-end", "--nights", "3")
        assert fresh.command(*synth).returncode == 0
        landed = fresh.settings.landing / "exampleshire" / "mosaic"
        late = [file for file in landed.glob("workflow_steps_*") if str(DELIVERED) not in file.name]
        assert len(late) == 2
        never = [file for table in NEVER_DELIVERED for file in fresh.settings.landing.rglob(f"{table}_*")]
        assert len(never) == 3 * len(NEVER_DELIVERED)
        for file in (*late, *never):
            file.unlink()
        done = fresh.command("ingest", "--business-date", str(AS_AT))
        assert done.returncode == 0, done.stderr
        read_project.hand_over(fresh.settings)
        report = run_gate(fresh.settings, build(fresh.settings, AS_AT))
        assert report.passed, render(report)
        assert "sources_are_fresh" in render(report)
        yield fresh


def test_one_table_that_stopped_ends_what_is_made_of_it_and_nothing_else(without_steps: Warehouse) -> None:
    latest = without_steps.rows(
        """
        select measure_id, max(period_end_date), (array_agg(data_status_code order by period_end_date desc))[1]
        from candidate.kpi_values where how_obtained_code = 'calculated' group by measure_id
        """
    )
    ended = {measure_id for measure_id, day, _ in latest if day < AS_AT}
    assert ended == COUNTED_FROM_STEPS
    assert {(day, status) for measure_id, day, status in latest if measure_id in ended} == {(DELIVERED, "stale_source")}
    assert len(latest) - len(ended) > 35
    assert {status for measure_id, _, status in latest if measure_id not in ended} == {"provisional"}


@pytest.mark.parametrize(
    ("mart", "last", "status"),
    [("kpi_reviews", DELIVERED, "stale_source"), ("kpi_hospital_discharges", AS_AT, "provisional")],
)
def test_so_does_a_mart_of_it(mart: str, last: date, status: str, without_steps: Warehouse) -> None:
    column = MARTS[mart][1]
    ((latest, statuses),) = without_steps.rows(
        f"""
        select {column}, array_agg(distinct data_status_code)
        from candidate.{mart} group by {column} order by {column} desc limit 1
        """
    )
    assert (latest, statuses) == (last, [status])


def test_every_calculated_measure_and_every_dataset_delivered_can_end(without_steps: Warehouse) -> None:
    """Neither names a fact beneath which there is no table of its source: it would be held for ever."""
    measures = without_steps.rows(
        """
        select distinct shown.measure_id, fresh.held_through_date is not null
        from candidate.kpi_values as shown
        left join intermediate.int_freshness__measures as fresh
            on (shown.council_code, shown.measure_id) = (fresh.council_code, fresh.measure_id)
        where shown.how_obtained_code = 'calculated'
        """
    )
    assert len(measures) > 50
    assert [measure_id for measure_id, can_end in measures if not can_end] == []
    datasets = without_steps.rows(
        "select dataset_code, held_through_date < 'infinity' from intermediate.int_calendar__coverage"
    )
    declared = {dataset for dataset, can_end in datasets if not can_end}
    assert len(datasets) - len(declared) > 20
    assert all(dataset.startswith("project_of_") for dataset in declared)


def test_nothing_is_shown_that_would_be_another_figure_without_a_table_that_never_comes(
    without_steps: Warehouse, stopped: Warehouse
) -> None:
    calculated = "select distinct measure_id from candidate.kpi_values where how_obtained_code = 'calculated'"
    shown, delivered = ({measure for (measure,) in each.rows(calculated)} for each in (without_steps, stopped))
    assert delivered - shown == set().union(*NEVER_DELIVERED.values())
    assert without_steps.rows("select from candidate.kpi_package_costs") == []
    known = (
        "select count(*) > 100, count(weekly_gross_gbp) > 100, count(weekly_net_gbp) from candidate.fct_package_costs"
    )
    assert without_steps.rows(known) == [(True, True, 0)]
