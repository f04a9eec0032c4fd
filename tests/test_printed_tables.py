"""Printed papers in, printed tables out, through the front door: files in the landing folder, published marts read back.

The status report of October 2018 itself is in `test_night.py`. Every number here is typed in from the papers.
"""

import csv
import io
from decimal import Decimal

import pytest

from tests.conftest import Night
from tests.test_night import table

pytestmark = pytest.mark.any_server

# The net impact of January 2019 in £000: a blank of the paper is a blank.
NET_IMPACT = """
row_code,2018/19,2019/20,2020/21,2021/22
change_requests,-846,2719,-1920,-210
extensions,,1261,946,331
total,-846,3980,-974,121
"""

REQUESTS = """
request_ref,project_name,change_type_code,decision_code,change,is_balanced
CR1,Care and Support Centres,slippage,approved,0,t
CR2,Targeted Reviews,slippage,approved,0,t
CR3,Targeted Reviews,acceleration,requested,0,t
CR4,Departmental Contracts Review,partial_write_off,requested,-160,
CR5,Statutory School Transport,alternative_delivery_and_write_off,requested,-97,
TE1,Transforming Reablement,extension,approved,2067,
TE2,Transitions/Preparing for Adulthood,extension,approved,100,
TE3,Housing with Care,extension,approved,371,
"""

# Three versions of Targeted Reviews, £000. The third is asked for and in force on no day (R19, R24).
TARGETED_REVIEWS = {
    "2017-09-10": [],
    "2017-09-11": [3010, 2000, 1000],
    "2018-03-11": [3010, 2000, 1000],
    "2018-03-12": [2010, 2000, 2000],
    "2018-10-31": [2010, 2000, 2000],
    "2019-01-07": [2010, 2000, 2000],
    "2030-01-01": [2010, 2000, 2000],
}

# What papers state about measures: measure, day it is as of, part of it (blank: the measure itself), value, target.
STATED = """
measure_id,as_of,part,value,target
K001,2018-09-30,,73.23,80
K001,2018-10-31,,73.86,80
K002,2018-10-31,,1538000,2010000
K002,2018-12-16,,1552000,2010000
K003,2018-10-31,,982000,2000000
K003,2018-12-16,,477000,2000000
K007,2018-09-30,,58,75
K008,2019-01-07,,,360
K008,2019-01-07,"two-year increase, percent",,23
K014,2018-10-31,"reduction, percent",,21
K016,2018-10-31,,28,40
K017,2018-10-31,,3,
K018,2018-10-31,,,12
K021,2018-10-31,,2288000,1989000
K021,2018-10-31,surplus,299000,
K021,2018-10-31,added in month,12000,
K022,2018-09-30,,70000,
K022,2018-10-31,,40000,
K022,2018-10-31,"share of target, percent",3,
K023,2019-01-07,,,237
K031,2018-10-31,,15.3,50
K032,2018-10-31,,1300000,1769000
K032,2018-10-31,forecast,2200000,
K032,2018-10-31,over-achievement,493000,
K033,2018-10-31,,1583000,1280000
K033,2018-10-31,over-delivery,303000,
K033,2018-09-30,over-delivery,19000,
K033,2018-10-31,"over-delivery, all years",420000,
K034,2018-10-31,,240,354
K038,2018-10-31,,4179000,500000
K038,2018-09-30,,4577000,500000
K038,2018-10-31,change since last month,-398000,
K039,2018-10-31,,6000,28000
K039,2018-10-31,shortfall,22000,
K040,2018-09-30,,25,
K040,2018-10-31,,36,
K041,2018-10-31,,,174000
K042,2018-10-31,,497000,200000
K042,2018-10-31,Promoting Independence Workers,316000,
K042,2018-10-31,Community Independence Workers,181000,
K043,2018-10-31,,207000,175000
K044,2018-10-31,,150000,60000
K044,2019-01-07,"2017/18, in year",117000,60000
K044,2019-01-07,"2017/18, full-year effect",235000,
K045,2018-04-16,,26942000,
K045,2018-04-16,2017/18,10345000,
K045,2018-10-31,,22175000,
K045,2018-10-31,2018/19,8569000,
K045,2018-10-31,2019/20,9617000,
K045,2018-10-31,2020/21,3658000,
K045,2018-10-31,2021/22,331000,
K046,2018-10-31,,-9501000,
K046,2018-10-31,2017/18 or earlier,-3138000,
K046,2018-10-31,2018/19,-6110000,
K046,2018-10-31,2019/20,-253000,
K047,2018-10-31,,22000,
K048,2018-10-31,,-9523000,
K049,2018-04-16,,2572000,10345000
K052,2019-01-07,,2281000,
K052,2019-01-07,2018/19,-846000,
K052,2019-01-07,2019/20,3980000,
K052,2019-01-07,2020/21,-974000,
K052,2019-01-07,2021/22,121000,
K061,2017-07-31,,765,
"""

# Printed, and in no example file: what the papers give in sentences alone, which no extract of a register would hold.
NOT_IN_THE_FILES = {
    "K013": "729 people of the response service: a sentence, in no table of the papers",
    "K016": "5 to 6 further moves: the file holds the year's forecast that they make, 33 to 34",
    "K028": "9 households that resigned: a sentence without a register",
    "K029": "8 assessments in progress and 4 waiting: a sentence without a register",
    "K051": "10 projects of high and 21 of low governance: the register of projects does not name which",
    "K057": "2.4 million of benefits: a sentence without an advice log",
    "K058": "50 self-funders: a sentence without a contact list",
}


def money(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def typed(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text.strip())))
    assert rows
    return rows


def test_net_impact_of_january_is_printed_row_for_row(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select * from mart.kpi_target_changes where council_code = 'county' and report_date = '2019-01-07'",
    )
    amounts = {(row["row_code"], row["financial_year"]): Decimal(row["change_gbp"]) / 1000 for row in rows}
    for printed in typed(NET_IMPACT):
        for year in ("2018/19", "2019/20", "2020/21", "2021/22"):
            # A nil of the extensions is printed as a blank.
            assert amounts[printed["row_code"], year] == Decimal(printed[year] or 0), (printed["row_code"], year)
    assert len([key for key in amounts if key[1] != "all"]) == 12
    assert amounts["total", "all"] == 2281
    # A change of 2017/18 is netted into the first reported year: -310 - 686 + 150 = -846 (R25).
    (first,) = [row for row in rows if (row["row_code"], row["financial_year"]) == ("change_requests", "2018/19")]
    assert Decimal(first["earlier_years_gbp"]) == 150_000
    # What the paper prints stands beside what the log comes to, and nothing differs.
    stated = {(row["row_code"], row["financial_year"]): row["stated_gbp"] for row in rows if row["stated_gbp"]}
    assert len(stated) == 12
    assert {row["difference_gbp"] for row in rows} == {"", "0.00"}


def test_what_january_asks_for_is_told_from_what_was_approved(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select * from mart.kpi_target_changes where council_code = 'county' and report_date = '2019-01-07' "
        "and financial_year = 'all'",
    )
    parts = {
        row["row_code"]: (row["basis_code"], Decimal(row["approved_gbp"]), Decimal(row["undecided_gbp"]))
        for row in rows
    }
    assert parts == {
        "change_requests": ("requested", Decimal(0), Decimal(-257_000)),
        "extensions": ("approved", Decimal(2_538_000), Decimal(0)),
        "total": ("requested", Decimal(2_538_000), Decimal(-257_000)),
    }


def test_change_requests_and_extensions_come_out_as_printed(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select request_ref, project_name, change_type_code, decision_code, (change_gbp / 1000)::integer as change, "
        "is_balanced from mart.fct_change_requests where council_code = 'county' order by request_ref",
    )
    assert rows == typed(REQUESTS)
    (transport,) = table(
        january.warehouse,
        "select alternative_delivery_gbp, write_off_gbp from mart.fct_change_requests "
        "where council_code = 'county' and request_ref = 'CR5'",
    )
    assert transport == {"alternative_delivery_gbp": "589000.00", "write_off_gbp": "97000.00"}


def test_the_position_on_a_date_is_the_version_approved_by_then(january: Night) -> None:
    for day, targets in TARGETED_REVIEWS.items():
        rows = table(
            january.warehouse,
            "select target_gbp from mart.kpi_target_positions where council_code = 'county' and project_ref = 'N13' "
            f"and valid_from <= '{day}' and (valid_to is null or '{day}' < valid_to) order by financial_year",
        )
        assert [int(Decimal(row["target_gbp"]) / 1000) for row in rows] == targets, day
    asked = table(
        january.warehouse,
        "select target_gbp, is_in_force, valid_from from mart.fct_savings_target_versions "
        "where council_code = 'county' and project_ref = 'N13' and version_number = 3 order by financial_year",
    )
    assert [Decimal(row["target_gbp"]) / 1000 for row in asked] == [2010, 4000, 0]
    assert {(row["is_in_force"], row["valid_from"]) for row in asked} == {("f", "")}


def test_in_october_nobody_knew_of_january(night: Night) -> None:
    known = table(
        night.warehouse,
        "select version_number, is_in_force from mart.fct_savings_target_versions "
        "where council_code = 'county' and project_ref = 'N13' and financial_year = '2019/20' order by 1",
    )
    assert [tuple(row.values()) for row in known] == [("1", "f"), ("2", "t")]
    papers = table(
        night.warehouse, "select distinct report_date from mart.kpi_target_changes where council_code = 'county'"
    )
    assert papers == [{"report_date": "2018-04-16"}]


def test_stated_figures_of_measures_come_out_as_printed(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select measure_id, period_end_date as as_of, period_type, breakdown_type, breakdown_value, value, target "
        "from mart.kpi_values where council_code = 'county'",
    )
    found = {
        (row["measure_id"], row["as_of"], "" if row["breakdown_type"] == "council" else row["breakdown_value"]): row
        for row in rows
        # The month's figure of K032 stands beside that of the year to date.
        if (row["measure_id"], row["period_type"]) != ("K032", "month")
    }
    printed = typed(STATED)
    assert len(printed) == 64
    missing = [each for each in printed if (each["measure_id"], each["as_of"], each["part"]) not in found]
    assert missing == []
    for each in printed:
        row = found[each["measure_id"], each["as_of"], each["part"]]
        assert money(row["value"]) == money(each["value"]), each
        if each["target"]:
            assert money(row["target"]) == money(each["target"]), each


def test_the_recouped_month_and_the_target_to_date_are_printed_too(january: Night) -> None:
    (month,) = table(
        january.warehouse,
        "select value, value_text from mart.kpi_values where council_code = 'county' and measure_id = 'K032' "
        "and period_type = 'month' and period_end_date = '2018-10-31' and breakdown_type = 'council'",
    )
    assert month == {"value": "286000.00", "value_text": "£286k"}
    (avoided,) = table(
        january.warehouse,
        "select target_to_date from mart.kpi_values where council_code = 'county' and measure_id = 'K034' "
        "and period_end_date = '2018-10-31'",
    )
    assert Decimal(avoided["target_to_date"]) == 206


def test_statuses_are_words_and_the_portfolio_is_the_councils_row(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select breakdown_type, breakdown_value, value, value_text from mart.kpi_values "
        "where council_code = 'county' and measure_id = 'K050' and period_end_date = '2018-10-31'",
    )
    words = {row["breakdown_value"]: row["value_text"] for row in rows}
    assert words["county"] == "On Target"
    assert words["P3 Commissioning & Direct Services"] == "Experiencing Obstacles"
    assert words["N09 Reduction in long-term care placements"] == "At Risk"
    assert words["N13 Targeted Reviews"] == "over-achieving"
    assert {row["value"] for row in rows} == {""}


def test_positions_of_projects_keep_kinds_of_saving_apart(january: Night) -> None:
    rows = table(
        january.warehouse,
        "select * from mart.kpi_savings_position where council_code = 'county' and report_date = '2018-10-31' "
        "and financial_year = '2018/19'",
    )
    positions = {row["project_ref"]: row for row in rows}
    payments = positions["N12"]
    assert (payments["cashable_at_risk_gbp"], payments["income_at_risk_gbp"]) == ("-303000.00", "-493000.00")
    # 28 less 6 is at risk, and 22 is covered otherwise.
    brokerage = positions["N17"]
    assert (brokerage["income_at_risk_gbp"], brokerage["income_net_at_risk_gbp"]) == ("22000.00", "0.00")
    assert positions["N13"]["target_in_force_gbp"] == "2010000.00"
    assert positions["N10"]["cashable_at_risk_gbp"] == "40000.00"


def test_what_no_file_holds_is_named(january: Night) -> None:
    """A figure that the papers give and the marts cannot: kept by name, so that a file that brings it is noticed."""
    rows = table(
        january.warehouse, "select distinct measure_id from mart.kpi_values where council_code = 'county' and value > 0"
    )
    shown = {row["measure_id"] for row in rows}
    assert shown >= {"K001", "K011", "K016", "K045"}
    assert shown & set(NOT_IN_THE_FILES) == {"K016"}
