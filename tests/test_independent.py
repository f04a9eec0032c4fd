"""Every published figure equals one worked out a second time from the extract files, to the person and the penny."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from carehouse.database import Role
from tests.conftest import Night
from tests.independent import measures
from tests.independent.calendar import (
    DAY,
    financial_year,
    month_end,
    month_start,
    plus_months,
    same_month_of,
    year_start,
)
from tests.independent.care import Council
from tests.independent.charts import Point, charts
from tests.independent.counting import Figure, Which
from tests.independent.definitions import calculated, registry, variables
from tests.independent.ledger import Spend, ledger_spend
from tests.independent.package_costs import Cell, package_costs
from tests.independent.reablement import episodes
from tests.independent.targets import Aim, aim

COUNCIL = "exampleshire"  # the only council of the night that delivers care and ledger extracts
AS_AT = date(2018, 10, 31)
KEY = "measure_id, period_type, period_end_date, breakdown_type, breakdown_value"
CALCULATED = f"council_code = '{COUNCIL}' and how_obtained_code = 'calculated'"


@pytest.fixture(scope="module")
def council(night: Night) -> Council:
    return Council(night.extracts / COUNCIL, AS_AT)


@pytest.fixture(scope="module")
def ours(council: Council) -> dict[Which, Figure]:
    return measures.all_figures(council)


@pytest.fixture(scope="module")
def theirs(night: Night) -> dict[Which, Figure]:
    """The calculated figures of the council as a reader sees them."""
    rows = published(night, "kpi_values", f"{KEY}, numerator, denominator, value", CALCULATED)
    found = {Which(*row[:5]): Figure(*row[5:]) for row in rows}
    assert len(found) == len(rows)
    return found


def published(night: Night, table: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    """Give published rows as a reader sees them, of which there must be some."""
    rows = night.warehouse.rows(f"select {columns} from mart.{table} where {where}", Role.READER)
    assert rows
    return rows


def test_every_calculated_measure_is_worked_out_a_second_time() -> None:
    assert set(measures.CALCULATIONS) == set(calculated())


@pytest.mark.parametrize("measure_id", sorted(calculated()))
def test_every_figure_agrees(measure_id: str, ours: dict[Which, Figure], theirs: dict[Which, Figure]) -> None:
    """No figure is missing, none is too many, and each is the same: every period and breakdown."""
    here, there = (
        {which: figure for which, figure in figures.items() if which.measure_id == measure_id}
        for figures in (ours, theirs)
    )
    assert here, "nothing is compared"
    assert difference(here, there) == []


def test_the_invented_council_sets_every_measure_moving(ours: dict[Which, Figure]) -> None:
    """Agreement about a measure of which every figure is the same proves little."""
    values = {
        measure_id: {figure.value for which, figure in ours.items() if which.measure_id == measure_id}
        for measure_id in calculated()
    }
    assert {measure_id for measure_id, different in values.items() if len(different) < 2} == set()


def test_every_control_chart_agrees(night: Night, theirs: dict[Which, Figure]) -> None:
    """Centre, limits and special cause of every point of every monthly series, and no series more or less."""
    columns = "spc_centre, spc_lower_limit, spc_upper_limit, spc_signal_code"
    rows = published(night, "kpi_values", f"{KEY}, {columns}", f"{CALCULATED} and spc_centre is not null")
    charted = {Which(*row[:5]): Point(*row[5:]) for row in rows}
    assert difference(charts(theirs, registry()), charted) == []
    assert len({point.signal for point in charted.values()}) == 5, "a special cause that never occurs proves nothing"


def test_every_figure_is_compared_with_the_right_earlier_ones(night: Night, theirs: dict[Which, Figure]) -> None:
    """The previous value is that "of one period before (of a year to date, one month before; empty in April)"."""
    columns = "previous_value, same_period_last_year_value"
    for row in published(night, "kpi_values", f"{KEY}, {columns}", CALCULATED):
        which = Which(*row[:5])
        month_before = month_start(which.period_end) - DAY
        year_before = month_end(plus_months(which.period_end, -12))
        previous, last_year = (
            theirs[earlier].value if (earlier := which._replace(period_end=day)) in theirs else None
            for day in (month_before, year_before)
        )
        if which.period_type == "year_to_date" and which.period_end.month == 4:
            previous = None
        assert row[5:] == (previous, last_year), which


def test_every_target_agrees(night: Night, council: Council, theirs: dict[Which, Figure]) -> None:
    """The annual target in force, its share to date and the status of every figure; parts of a council have none."""
    rows = published(night, "kpi_values", f"{KEY}, target, target_to_date, status_code, target_text", CALCULATED)
    there = {Which(*row[:5]): Aim(*row[5:8]) for row in rows}
    stated = {Which(*row[:5]): row[5] for row in rows if row[8] is not None}
    here = {}
    for which, figure in theirs.items():
        key = registry()[which.measure_id], which.period_type, which.period_end, figure.value
        is_whole = which.breakdown_type == "council"
        here[which] = aim(council, *key, stated.get(which)) if is_whole else Aim(None, None, None)
    assert difference(here, there) == []
    assert {one.status for one in here.values()} == {"met", "not_met", None}


def difference(here: Mapping[Which, Any], there: Mapping[Which, Any]) -> list[str]:
    """Say in what two sets of figures differ."""
    which = sorted(set(here) | set(there))
    return [
        f"{one}: {here.get(one)} by the rules, {there.get(one)} published"
        for one in which
        if here.get(one) != there.get(one)
    ]


def test_the_reablement_table_agrees_in_every_month(night: Night, council: Council) -> None:
    base_year = variables()["reablement_base_year"]
    completed = [episode.last.end for episode in episodes(council) if episode.is_completed]
    assert len(completed) > 100

    def to_date(ending: date) -> int:
        return sum(year_start(ending) <= day <= ending for day in completed)

    columns = (
        "council_code, period_end_date, financial_year, base_financial_year, completion_to_date_count, "
        "base_year_completion_to_date_count, additional_completion_count"
    )
    rows = published(night, "kpi_reablement", columns)
    for code, ending, year, base, now, before, additional in rows:
        then = to_date(same_month_of(base_year, ending))
        assert (code, year, base) == (COUNCIL, financial_year(ending), base_year)
        assert (now, before, additional) == (to_date(ending), then, to_date(ending) - then), ending


def test_package_costs_agree_to_the_penny_in_every_month(night: Night, council: Council) -> None:
    columns = (
        "month_end_date, setting_code, age_band, support_reason_code, people_count, unpriced_people_count, package_days, "
        "unpriced_package_days, gross_cost_gbp, health_funding_gbp, better_care_fund_gbp, client_contributions_gbp, "
        "net_cost_gbp"
    )
    rows = published(night, "kpi_package_costs", columns, f"council_code = '{COUNCIL}'")
    ours = {cell: cost.published() for cell, cost in package_costs(council).items()}
    assert {Cell(*row[:4]): row[4:] for row in rows} == ours


def test_the_ledger_agrees_to_the_penny_in_every_period(night: Night, council: Council) -> None:
    columns = "council_code, financial_year, period_number, spend_gbp, income_gbp, net_gbp, line_count"
    rows = published(night, "kpi_ledger_spend", columns)
    ours = ledger_spend(council.extracts)
    # Two years with their closing periods, and seven months.
    assert len(ours) == 13 + 13 + 7
    assert {(code, year, period): Spend(*figures) for code, year, period, *figures in rows} == {
        (COUNCIL, year, period): spend for (year, period), spend in ours.items()
    }
    assert all(spend.income_gbp > 0 for (_, period), spend in ours.items() if period <= 12)
