"""Printed measures in, printed measures out: the Council Plan table with its words and dashes, the target of 206."""

import csv
import io

import pytest

from tests.conftest import Night
from tests.test_night import table

# The measure table as printed, typed in from the paper; a blank cell is a cell that is blank or lost in the paper.
COUNCIL_PLAN = """
measure_id|latest_text|latest_value|target_text|target_value|good_is_text|previous_text|previous_value|national_text|national_value
K060|43 (11 Public Health, 23 apprenticeships in ASCH, 9 Social Work placements)|43|-||Maintain at same level|-||-|
K059|328 (Number of people supported by I-work team at period end)|328|-||High|324|324|-|
K020|74.80%|74.8|76.0%|76|High|74.2%|74.2|75.4%|75.4
|5.7% (2016)|5.7|Reduce||Low|||5.3% (2016)|5.3
|61.7 (male) 2014-16|61.7|Increase||High|61.7 (male) 2014-16|61.7|63.3 (male) 2014-16|63.3
|62.4 (female) 2014-16|62.4|Increase||High|62.4 (female) 2014-16|62.4|63.9 (female) 2014-16|63.9
|15.1% (2017)|15.1|||Low|15.7% (2016)|15.7||
|64.4% (16/17)|64.4|||Low|64.4% (16/17)|64.4|61.3%(16/17|61.3
|23.2% (16/17)|23.2|||Low|23.2% (16/17)|23.2||
|57.7%|57.7|66% (invites)|66|High|56.4%|56.4|76.7%|76.7
|58.8%|58.8|66% (uptake)|66|High|56.7%|56.7|48.3%|48.3
K037|1276|1276|-||High|-||-|
K053|70.90%|70.9|80%|80|High|-||-|
|229|229|250|250|High|180|180|-|
|2|2|-||High|3|3|-|
K054|3329|3329|-||-|1922|1922|-|
K055|1996|1996|-||-|1012|1012|-|
K056|1681 (through Adult Access team)|1681|-||High|-||-|
K056|606 (Adult Care Financial Services)|606|-||High|-||-|
K011|1856|1856|-||High|1052|1052|-|
K035|75.00%|75|-||High|-||-|
K010|82.40%|82.4|80.0%|80|High|80.6%|80.6|82.70%|82.7
K015|0|0|0.7|0.7|Low|0.1|0.1|-|
K036|85% overall|85|-||-|-||-|
"""


@pytest.mark.any_server
def test_the_council_plan_table_comes_out_as_printed(january: Night) -> None:
    printed = list(csv.DictReader(io.StringIO(COUNCIL_PLAN.strip()), delimiter="|"))
    assert len(printed) == 24
    lines = table(
        january.warehouse,
        """
        select *, trim_scale(latest_value) as latest, trim_scale(target_value) as target,
            trim_scale(previous_value) as previous, trim_scale(national_value) as national
        from mart.kpi_measure_summary
        where council_code = 'county' and section_code = 'return'
        order by report_order
        """,
    )
    shown = [
        {**line, **{f"{name}_value": line[name] for name in ("latest", "target", "previous", "national")}}
        for line in lines
    ]
    assert [{column: line[column] for column in printed[0]} for line in shown] == printed
    assert {line["report_name"] for line in lines} == {"Council plan measures, first half of 2018/19"}


@pytest.mark.any_server
def test_a_printed_measure_is_a_value_where_the_council_sends_no_records(january: Night) -> None:
    rows = table(
        january.warehouse,
        """
        select measure_id, period_label, value, value_text, target, previous_value, national_value, status_code
        from mart.kpi_values
        where
            council_code = 'county' and how_obtained_code = 'reported' and breakdown_type = 'council'
            and measure_id in ('K010', 'K015', 'K020', 'K036', 'K059')
        order by measure_id
        """,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("K010", "at 7 January 2019", "82.40", "82.40%", "80.00", "80.60", "82.70", "met"),
        ("K015", "at 7 January 2019", "0.00", "0", "0.70", "0.10", "", "met"),
        ("K020", "September 2018", "74.80", "74.80%", "76.00", "74.20", "75.40", "not_met"),
        ("K036", "2018/19 to September", "85.00", "85% overall", "", "", "", ""),
        ("K059", "September 2018", "328.00", "328 (Number of people supported by I-work team at period end)", "", "324.00", "", ""),
    ]  # fmt: skip


def test_the_target_to_date_of_avoided_assessments_is_206(night: Night) -> None:
    (row,) = table(
        night.warehouse,
        """
        select value, target, target_to_date, status_code, how_obtained_code
        from mart.kpi_values
        where
            council_code = 'county' and measure_id = 'K034' and period_type = 'year_to_date'
            and period_end_date = '2018-10-31' and breakdown_type = 'council'
        """,
    )
    assert tuple(row.values()) == ("240.00", "354.00", "206.00", "met", "reported")


def test_printed_monthly_figures_stand_beside_their_targets(night: Night) -> None:
    """The October 2018 report: review rate, moves, completions to September, direct payments, recoupment."""
    rows = table(
        night.warehouse,
        """
        select measure_id, period_type, period_end_date, value, target, target_to_date, previous_value
        from mart.kpi_values
        where
            council_code = 'county' and breakdown_type = 'council' and how_obtained_code = 'reported'
            and measure_id in ('K001', 'K007', 'K016', 'K031') and is_headline
        order by measure_id, period_end_date
        """,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("K001", "month_end", "2018-09-30", "73.23", "80.00", "80.00", ""),
        ("K001", "month_end", "2018-10-31", "73.86", "80.00", "80.00", "73.23"),
        ("K007", "year_to_date", "2018-09-30", "58.00", "75.00", "37.00", ""),
        ("K016", "year_to_date", "2018-10-31", "28.00", "40.00", "23.00", ""),
        ("K031", "month_end", "2018-10-31", "15.30", "50.00", "50.00", ""),
    ]
