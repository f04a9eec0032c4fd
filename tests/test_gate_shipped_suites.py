"""The shipped suites on marts as dbt declares them: sound tables pass, and each planted fault is refused."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from expectations.gate import GateReport, render, run_gate
from tests.conftest import Warehouse

MARTS = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "marts"
BUILD = 1

ANNA = "a" * 32
BORIS = "b" * 32

# One sound row or two of each mart. What is left out is null; publication_id is added to each.
SOUND: dict[str, list[dict[str, Any]]] = {
    "dim_measure": [
        {
            "council_code": "all",
            "measure_id": measure,
            "measure_name": measure,
            "how_obtained_code": "computed",
            "definition": "What it is.",
            "unit_code": unit,
            "polarity_code": "high",
            "owner_name": "Performance",
            "valid_from": "2016-04-01",
            "is_current": True,
        }
        for measure, unit in {"K001": "percent", "K007": "completions", "K016": "moves"}.items()
    ],
    "dim_person": [
        {"council_code": "exampleshire", "person_id": person, "age_band": band, "is_deceased": False}
        for person, band in {ANNA: "65+", BORIS: "18-64"}.items()
    ],
    "dim_setting": [
        {
            "council_code": "all",
            "service_type_code": setting,
            "setting_label": setting,
            "independence_order": order,
        }
        for order, setting in enumerate(["nursing", "residential", "supported_living"], start=1)
    ],
    "dim_programme": [
        {"programme_ref": "P", "programme_name": "Portfolio", "level_code": "portfolio", "report_order": 1},
        {
            "programme_ref": "P1",
            "programme_name": "First",
            "level_code": "programme",
            "report_order": 2,
            "parent_programme_ref": "P",
        },
        {
            "programme_ref": "P2",
            "programme_name": "Second",
            "level_code": "programme",
            "report_order": 3,
            "parent_programme_ref": "P",
        },
    ],
    "fct_project_status": [
        {
            "programme_ref": programme,
            "report_date": "2018-10-31",
            "previous_status_code": "At Risk",
            "status_code": "On Target",
            "trend_code": "Better",
        }
        for programme in ("P", "P1", "P2")
    ],
    "fct_savings_targets": [
        {
            "programme_ref": programme,
            "report_date": "2018-10-31",
            "financial_year": "2018/19",
            "target_gbp": 1000,
        }
        for programme in ("P1", "P2")
    ],
    "kpi_portfolio_status": [
        {
            "programme_ref": programme,
            "parent_programme_ref": None if programme == "P" else "P",
            "level_code": "portfolio" if programme == "P" else "programme",
            "programme_name": programme,
            "report_date": "2018-10-31",
            "as_at_date": "2018-10-31",
            "report_order": order,
            "status_code": "On Target",
            "trend_code": "Same",
            "target_year_1_label": "2018/19",
            "target_year_1_gbp_k": target,
            "target_total_gbp_k": target,
            "risk_year_1_label": "2017/18 or earlier",
            "risk_year_2_label": "2018/19",
            "risk_year_2_gbp_k": -5 * target,
            "risk_total_gbp_k": -5 * target,
            "alternative_delivery_gbp_k": None if programme == "P2" else 2,
            "net_at_risk_gbp_k": -5 * target - (0 if programme == "P2" else 2),
        }
        for order, (programme, target) in enumerate({"P": 2, "P1": 1, "P2": 1}.items())
    ],
    "kpi_portfolio_status_by_year": [
        {
            "programme_ref": programme,
            "parent_programme_ref": None if programme == "P" else "P",
            "level_code": "portfolio" if programme == "P" else "programme",
            "programme_name": programme,
            "report_date": "2018-10-31",
            "as_at_date": "2018-10-31",
            "figure_code": figure,
            "financial_year": "2018/19",
            "year_position": 1,
            "amount_gbp": amount,
            "is_sum_of_programmes": programme == "P",
        }
        for programme, target in {"P": 2000, "P1": 1000, "P2": 1000}.items()
        for figure, amount in {"savings_target": target, "at_risk": -5 * target}.items()
    ],
    "fct_reviews": [
        {
            "council_code": "exampleshire",
            "step_ref": 1,
            "person_id": ANNA,
            "review_kind_code": "planned",
            "review_date": "2018-09-03",
            "recording_lag_days": 2,
        }
    ],
    "fct_reablement_episodes": [
        {
            "council_code": "exampleshire",
            "person_id": ANNA,
            "start_date": "2018-04-01",
            "end_date": "2018-04-30",
            "end_reason_code": "completed",
            "is_completed": True,
            "completed_financial_year": "2018/19",
            "completed_period_number": 1,
        }
    ],
    "fct_placement_moves": [
        {
            "council_code": "exampleshire",
            "person_id": BORIS,
            "move_date": "2018-04-10",
            "from_service_type_code": "residential",
            "to_service_type_code": "supported_living",
            "direction_code": "more_independent",
            "weekly_cost_after_gbp": 900,
            "age_band": "18-64",
        }
    ],
    "fct_ledger_lines": [
        {
            "council_code": "exampleshire",
            # Ten digits, but not the check digit of an NHS number.
            "journal_ref": "4000000005",
            "line_number": line,
            "financial_year": "2018/19",
            "period_number": 1,
            "cost_centre_code": "C1",
            "subjective_code": "S1",
            "amount_gbp": amount,
        }
        for line, amount in enumerate([100.25, -0.25], start=1)
    ],
    "kpi_ledger_spend": [
        {
            "council_code": "exampleshire",
            "financial_year": "2018/19",
            "period_number": 1,
            "spend_gbp": 100.25,
            "income_gbp": 0.25,
            "net_gbp": 100,
            "line_count": 2,
            "is_source_stale": False,
            "as_at_date": "2018-10-31",
        }
    ],
    "kpi_reablement": [
        {
            "council_code": "exampleshire",
            "period_end_date": "2018-04-30",
            "financial_year": "2018/19",
            "period_number": 1,
            "completion_count": 1,
            "completion_to_date_count": 1,
            "base_financial_year": "2017/18",
            "base_year_completion_to_date_count": 0,
            "additional_completion_count": 1,
            "as_at_date": "2018-10-31",
        }
    ],
    "kpi_values": [
        {
            "council_code": "exampleshire",
            "measure_id": measure,
            "period_end_date": "2018-04-30",
            "as_at_date": "2018-10-31",
            "period_type": "month_end_snapshot" if measure == "K001" else "year_to_date",
            "breakdown_type": breakdown,
            "breakdown_value": breakdown,
            "numerator": numerator,
            "denominator": denominator,
            "value": value,
            "unit_code": unit,
            "data_status_code": "final",
        }
        for measure, breakdown, numerator, denominator, value, unit in [
            ("K001", "council", 2, 3, 66.67, "percent"),
            ("K001", "age_band", 2, 3, 66.67, "percent"),
            ("K007", "council", 1, None, 1, "completions"),
            ("K016", "council", 1, None, 1, "moves"),
        ]
    ],
}

CALENDAR = """
    insert into candidate.dim_date (
        publication_id, council_code, calendar_date, financial_year, period_number, year_start_date
    )
    select
        1,
        'all',
        calendar_date,
        concat(
            to_char(calendar_date - interval '3 months', 'YYYY'),
            '/',
            to_char(calendar_date + interval '9 months', 'YY')
        ),
        extract(month from calendar_date - interval '3 months'),
        date_trunc('year', calendar_date - interval '3 months') + interval '3 months'
    from generate_series(timestamp '2018-03-01', timestamp '2018-11-30', interval '1 day') as calendar_date
"""

LEDGER = """
    insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built');
    insert into audit.batch (
        council_code, source_name, table_name, contract_version, file_name, content_sha256, size_bytes,
        extract_date, known_on, state, rows_in, rows_new, rows_changed, rows_unchanged, rows_closed,
        rows_rejected, control_row_count, control_total_gbp, started_at
    )
    values
        ('exampleshire', 'ledger', 'lines', '1', 'lines.csv', 'x', 1,
         '2018-10-30', '2018-10-31', 'accepted', 2, 2, 0, 0, 0, 0, 2, 100.00, now()),
        ('county', 'programme', 'statuses', '1', 'statuses.csv', 'x', 1,
         '2018-10-31', '2018-10-31', 'accepted', 3, 3, 0, 0, 0, 0, null, null, now());
    insert into audit.build_batch select 1, batch_id from audit.batch;
    create table reference.contract_tables (source_name text, table_name text, stale_after_days integer);
    insert into reference.contract_tables values ('ledger', 'lines', 7), ('programme', 'statuses', 45);
    grant select on reference.contract_tables to carehouse_gate;
"""


def build_candidate(admin: psycopg.Connection[Any]) -> None:
    """Make every mart with dbt's columns and sound rows, without constraints so that faults can be planted."""
    models = [model for file in MARTS.rglob("*.yml") for model in yaml.safe_load(file.read_text()).get("models", [])]
    assert {model["name"] for model in models} == {*SOUND, "dim_date"}, "a mart has no rows to be tested with"
    admin.execute("set role carehouse_builder")
    for model in models:
        columns = ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
        admin.execute(f"create table candidate.{model['name']} ({columns})")
    admin.execute(CALENDAR)
    for mart, rows in SOUND.items():
        for row in rows:
            insert(admin, mart, row)
    admin.execute("reset role")
    admin.execute(LEDGER)


def insert(admin: psycopg.Connection[Any], mart: str, row: dict[str, Any]) -> None:
    values = {"publication_id": BUILD, "council_code": "county", **row}
    admin.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("candidate", mart),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        ),
        list(values.values()),
    )


def broken(report: GateReport) -> set[str]:
    return {result.check_id for result in report.results if result.is_broken}


# Each fault, and the checks that must see it.
FIRST = {
    "update candidate.kpi_ledger_spend set net_gbp = net_gbp + 0.01, spend_gbp = spend_gbp + 0.01": {
        "net_reconciles_to_control_total",
        "spend_is_sum_of_ledger_lines",
    },
    "update candidate.kpi_portfolio_status set target_year_1_gbp_k = 5, target_total_gbp_k = 5"
    " where programme_ref = 'P2'": {"programmes_sum_to_portfolio", "printed_and_yearly_amounts_agree"},
    "update candidate.fct_project_status set status_code = 'Amber' where programme_ref = 'P1'": {
        "reported_status_known"
    },
    "update candidate.dim_person set age_band = '66' where age_band = '65+'": {"person_age_band_known"},
    "update candidate.kpi_values set value = 150 where breakdown_type = 'age_band'": {
        "percentage_within_bounds",
        "percentage_follows_from_its_parts",
    },
    "update candidate.kpi_values set value = 2 where measure_id = 'K016'": {"moves_agree_with_list_of_moves"},
    "update candidate.dim_measure set cautions = 'ask about 999 000 0018' where measure_id = 'K007'": {
        "no_nhs_number.dim_measure"
    },
    "update candidate.fct_ledger_lines set cost_centre_code = 'NG2 7QP' where line_number = 1": {
        "no_postcode.fct_ledger_lines"
    },
    "update candidate.fct_reviews set team_ref = 'anna@example.org'": {"no_email_address.fct_reviews"},
    "alter table candidate.fct_reviews add column worker_surname text": {"no_column_that_identifies"},
    "update candidate.fct_savings_targets set publication_id = 7 where programme_ref = 'P1'": {
        "one_publication.fct_savings_targets"
    },
    "update candidate.dim_setting set council_code = 'elsewhere' where independence_order = 1": {
        "only_known_councils.dim_setting"
    },
    "create table candidate.kpi_unwatched (publication_id bigint, council_code text)": {"every_table_has_a_suite"},
    "update audit.batch set extract_date = '2018-09-01' where source_name = 'ledger'": {"sources_are_fresh"},
}
SECOND = {
    "drop table candidate.dim_date": {
        "every_suite_has_a_table",
        "date_listed_once",
        "calendar_has_no_gap",
        "calendar_reaches_as_at_date",
        "date_year_written_as_year",
        "period_starts_in_april",
        "moves_agree_with_list_of_moves",
        "one_publication.dim_date",
        "only_known_councils.dim_date",
        "no_nhs_number.dim_date",
        "no_postcode.dim_date",
        "no_email_address.dim_date",
    },
    "delete from candidate.fct_savings_targets": {
        "savings_target_stated_once",
        "savings_target_has_amount",
        "savings_target_year_written_as_year",
        "savings_target_of_listed_programme",
        "savings_target_not_in_pounds_by_mistake",
    },
    "update candidate.kpi_portfolio_status_by_year set amount_gbp = amount_gbp + 0.01"
    " where programme_ref = 'P' and figure_code = 'at_risk'": {"programmes_sum_to_portfolio_by_year"},
    "update candidate.kpi_portfolio_status set net_at_risk_gbp_k = 0 where programme_ref = 'P2'": {
        "net_at_risk_follows_from_its_parts",
        "programmes_sum_to_portfolio",
    },
    "update candidate.kpi_portfolio_status set risk_year_1_label = '2019/20'": {
        "year_headings_in_order",
    },
    "delete from candidate.kpi_values where measure_id = 'K007'": {
        "every_computed_measure_present",
        "additional_completions_agree_with_reablement",
    },
    "insert into candidate.dim_person select * from candidate.dim_person where age_band = '65+'": {
        "person_listed_once"
    },
    "delete from candidate.fct_ledger_lines where line_number = 2": {"spend_is_sum_of_ledger_lines"},
    "update audit.batch set control_row_count = 3 where source_name = 'ledger'": {"lines_reconcile_to_control_count"},
}


def test_sound_marts_pass_every_check(warehouse: Warehouse) -> None:
    with warehouse.admin() as admin:
        build_candidate(admin)

    report = run_gate(warehouse.settings, BUILD)

    assert report.passed, render(report)
    assert broken(report) == set()
    assert len(report.results) > 100
    assert report.decision.checks_declared == len(report.results)


@pytest.mark.parametrize("faults", [FIRST, SECOND])
def test_every_planted_fault_is_found_and_no_other(
    warehouse: Warehouse, faults: dict[str, set[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    with warehouse.admin() as admin:
        build_candidate(admin)
        for fault in faults:
            admin.execute(fault)
            admin.execute("grant select on all tables in schema candidate to carehouse_gate")

        report = run_gate(warehouse.settings, BUILD)

        assert broken(report) == set().union(*faults.values())
        assert not report.passed
        kept = str(admin.execute("select to_jsonb(gate_check) from audit.gate_check").fetchall())
    said = capfd.readouterr()
    for text in (render(report), repr(report), said.out, said.err, kept):
        for planted in ("999 000 0018", "NG2 7QP", "anna@", "Amber"):
            assert planted not in text
