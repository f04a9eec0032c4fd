"""A whole night through the front door: files in the landing folder, published figures out."""

import csv
import io
import re
from decimal import Decimal

import pytest

from carehouse.build import dbt_target
from carehouse.database import Role, connect
from carehouse.saved_parse import KEPT
from tests.conftest import Night, Warehouse

# The printed report, typed in from the paper in £000: blank is blank.
PRINTED = """
programme_name,previous_status_code,status_code,trend_code,\
target_year_1_gbp_k,target_year_2_gbp_k,target_year_3_gbp_k,target_year_4_gbp_k,target_total_gbp_k,\
risk_year_1_gbp_k,risk_year_2_gbp_k,risk_year_3_gbp_k,risk_total_gbp_k,alternative_delivery_gbp_k,net_at_risk_gbp_k
Improving Lives Portfolio,On Target,On Target,Better,8569,9617,3658,331,22175,-3138,-6110,-253,-9501,22,-9523
Promoting Independence Interventions,On Target,On Target,Better,7027,7263,2399,331,17020,-3318,-6254,-193,-9765,22,-9787
Interventions for Adults aged 65+,On Target,On Target,Same,,,,,,,,,,,
Interventions for Adults aged 18-64,Experiencing Obstacles,Experiencing Obstacles,Better,,,,,,,,,,,
Cross cutting interventions,On Target,On Target,Same,,,,,,,,,,,
Early Resolution,Experiencing Obstacles,Experiencing Obstacles,Same,507,394,416,,1317,,,,,,
Commissioning & Direct Services,Experiencing Obstacles,Experiencing Obstacles,Same,1035,1960,843,,3838,180,144,-60,264,,264
"""


def table(night_or_warehouse: Warehouse, query: str) -> list[dict[str, str]]:
    """Ask as a person does, with `carehouse sql`."""
    asked = night_or_warehouse.command("sql", query)
    assert asked.returncode == 0, asked.stderr
    return list(csv.DictReader(io.StringIO(asked.stdout)))


def test_the_printed_status_report_comes_out_exactly(night: Night) -> None:
    lines = table(
        night.warehouse, "select * from mart.kpi_portfolio_status where council_code = 'county' order by report_order"
    )
    printed = list(csv.DictReader(io.StringIO(PRINTED.strip())))
    assert len(printed) == 7
    assert [{column: line[column] for column in printed[0]} for line in lines] == printed
    for line in lines:
        assert [line[f"target_year_{year}_label"] for year in range(1, 6)] == [
            "2018/19",
            "2019/20",
            "2020/21",
            "2021/22",
            "",
        ]
        assert [line[f"risk_year_{year}_label"] for year in range(1, 6)] == [
            "2017/18 or earlier",
            "2018/19",
            "2019/20",
            "",
            "",
        ]


def test_councils_are_never_mixed(night: Night) -> None:
    councils = table(night.warehouse, "select distinct council_code from mart.kpi_portfolio_status order by 1")
    assert councils == [{"council_code": "county"}, {"council_code": "exampleshire"}]
    mixed = "select from mart.dim_programme where (council_code = 'county') <> (programme_ref ~ '^P')"
    assert night.warehouse.rows(mixed) == []
    councils = table(
        night.warehouse,
        "select distinct council_code, how_obtained_code from mart.kpi_values where measure_id = 'K001'",
    )
    assert {"council_code": "county", "how_obtained_code": "calculated"} not in councils
    for mart in ("kpi_ledger_spend", "fct_reviews"):
        councils = table(night.warehouse, f"select distinct council_code from mart.{mart}")
        assert councils == [{"council_code": "exampleshire"}], mart


def test_ledger_spend_is_the_extracts_control_total_to_the_penny(night: Night) -> None:
    (extract,) = night.extracts.glob("exampleshire/ledger/lines_*.csv")
    marker, rows, total = extract.read_text().splitlines()[-1].split(",")
    assert marker == "TRAILER"
    (published,) = table(
        night.warehouse, "select sum(net_gbp) as net, sum(line_count) as lines from mart.kpi_ledger_spend"
    )
    assert (Decimal(published["net"]), int(published["lines"])) == (Decimal(total), int(rows))


def test_every_mart_carries_the_publication_and_a_description(night: Night) -> None:
    dictionary = table(night.warehouse, "select * from mart.data_dictionary")
    assert len({row["mart_name"] for row in dictionary}) >= 18
    assert [row for row in dictionary if not row["column_description"] or not row["mart_description"]] == []
    first = {row["mart_name"]: row["column_name"] for row in dictionary if row["column_position"] == "1"}
    assert {mart for mart, column in first.items() if column != "publication_id"} == {"data_dictionary"}


def test_what_the_gate_checked_is_published(night: Night) -> None:
    checks = table(night.warehouse, "select table_name, severity, outcome, says from mart.data_quality")
    assert len(checks) > 100
    critical = [row["outcome"] for row in checks if row["severity"] == "critical"]
    assert set(critical) == {"passed", "not_applicable"}
    # Nothing was published before, so nothing can have been restated.
    assert {row["table_name"] for row in checks if row["outcome"] == "not_applicable"} >= {"kpi_restatements"}
    assert critical.count("passed") > 700
    assert all(row["says"] for row in checks)


@pytest.mark.any_server
def test_a_night_without_the_care_extracts_is_published_and_says_what_is_not_applicable(warehouse: Warehouse) -> None:
    """A council that delivers its programme register alone has its figures; one that delivers nothing of it has none."""
    warehouse.land_examples()
    ran = warehouse.command("run", "--business-date", "2018-10-31")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert warehouse.rows("select count(*) from mart.kpi_portfolio_status") == [(7,)]
    assert warehouse.rows("select count(*) from mart.fct_reviews") == [(0,)]
    reasons = table(
        warehouse,
        "select outcome, reason from mart.data_quality where table_name = 'fct_reviews' and suite = 'fct_reviews'",
    )
    assert len(reasons) > 10
    assert {row["outcome"] for row in reasons} == {"not_applicable"}
    assert all("no council delivers" in row["reason"] and "mosaic.workflow_steps" in row["reason"] for row in reasons)


@pytest.mark.any_server
def test_figures_can_be_built_as_they_were_known_on_a_day(warehouse: Warehouse) -> None:
    warehouse.land_examples()
    assert warehouse.command("ingest", "--business-date", "2018-10-31").returncode == 0
    corrected = (
        warehouse.settings.project / "examples/landing/county/programme/savings_targets_2018-10-31.csv"
    ).read_text()
    assert "7027" in corrected
    warehouse.land("county/programme/savings_targets_2018-11-02.csv", corrected.replace("7027", "6027"))
    assert warehouse.command("ingest", "--business-date", "2018-11-02").returncode == 0
    targets, read = {}, set()
    for day in ("2018-11-01", "2018-11-02"):
        assert warehouse.command("build", "--as-at", day).returncode == 0
        read.add(tuple((dbt_target(warehouse.settings) / name).stat().st_mtime_ns for name in KEPT))
        targets[day] = warehouse.rows(
            "select target_year_1_gbp_k, target_total_gbp_k from candidate.kpi_portfolio_status where report_order = 1"
        )
    assert targets == {"2018-11-01": [(8569, 22175)], "2018-11-02": [(7569, 21175)]}
    # What dbt read of the project, and wrote down of it, for the one day serves the other.
    assert len(read) == 1


def test_a_critical_failure_leaves_the_published_marts_untouched(built_again: Night) -> None:
    """A build whose figures the gate refuses changes nothing that readers see."""
    warehouse = built_again.warehouse
    before = table(warehouse, "select * from mart.kpi_portfolio_status order by report_order")
    assert differences(warehouse) == {}
    with connect(warehouse.settings, Role.BUILDER) as builder:
        builder.execute(
            "update candidate.kpi_portfolio_status set target_total_gbp_k = target_total_gbp_k + 1000 "
            "where level_code = 'portfolio'"
        )
    judged = warehouse.command("gate")
    assert judged.returncode == 4
    assert "REFUSED" in judged.stdout and "kpi_portfolio_status" in judged.stdout and "@" in judged.stdout
    refused = warehouse.command("publish")
    assert refused.returncode == 1
    assert "the gate refused build" in refused.stderr
    assert table(warehouse, "select * from mart.kpi_portfolio_status order by report_order") == before


def differences(warehouse: Warehouse) -> dict[str, int]:
    """Count, mart by mart, the rows in which the candidate differs from what is published."""
    counted = {}
    candidates = warehouse.rows(
        "select relname from pg_class where relnamespace = 'candidate'::regnamespace and relkind = 'r'"
    )
    assert len(candidates) > 15
    for (mart,) in candidates:
        columns = warehouse.rows(
            "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute "
            f"where attrelid = 'candidate.{mart}'::regclass and attnum > 0 and attname <> 'publication_id'"
        )[0][0]
        ((shown,),) = warehouse.rows(f"select store.shown_as('{mart}')")
        both = [f"select {columns} from {where}" for where in (f"candidate.{mart}", shown)]
        ((count,),) = warehouse.rows(
            f"select count(*) from (({both[0]} except all {both[1]}) union all ({both[1]} except all {both[0]})) as d"
        )
        if count:
            counted[mart] = count
    return counted


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select * from history.mosaic__persons", "permission denied"),
        ("select 1; drop table x", "syntax error"),
        ("delete from mart.kpi_values", "not answered"),
    ],
)
def test_the_sql_command_reads_the_marts_and_nothing_else(night: Night, query: str, says: str) -> None:
    asked = night.warehouse.command("sql", query)
    assert asked.returncode == 1
    assert says in asked.stderr
    assert "Traceback" not in asked.stderr


def test_nothing_said_on_the_way_names_a_person(night: Night) -> None:
    persons = list(csv.DictReader((next(night.extracts.glob("exampleshire/mosaic/persons_*.csv"))).open()))
    secrets = {row[name] for row in persons for name in ("NHS_ID", "POST_CODE") if row[name]}
    assert len(secrets) > 500
    written = [night.said]
    written += [
        path.read_text(errors="replace")
        for path in night.warehouse.settings.home.rglob("*")
        if path.is_file() and path.suffix in {".json", ".log", ".txt", ".html"} and "archive" not in path.parts
    ]
    assert len(written) > 3
    # dbt times its nodes in fractions of a second, and 0.99981689453 s reads like a number of the 999 range.
    written = [re.sub(r"\d\.\d+", "", text) for text in written]
    found = [secret for secret in secrets if any(secret in text for text in written)]
    assert found == []
    assert not re.search(r"\b999\d{7}\b", "".join(written))
