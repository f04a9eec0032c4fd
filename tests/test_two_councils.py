"""A second council's register beside the first, by contract settings alone: other headers, £m and brackets, later years.

The council is added to a copy of the project: lines of `councils.yaml`, editions of contracts, and rows of the seeds that
say which project a measure means. No code differs.
"""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from carehouse.settings import PROJECT, Settings
from tests import read_project
from tests.conftest import Warehouse, fresh_warehouse

pytestmark = pytest.mark.any_server

AS_AT = "2024-06-30"
COPIED = ("carehouse", "ingestion", "expectations", "dbt_project")

# How the city writes what differs: table -> (headers that are its own, unit of its amounts).
EDITIONS = {
    "savings_targets": (
        {"report_date": "AS_AT", "programme_ref": "THEME", "financial_year": "YEAR", "target_gbp": "GROSS_SAVING_M"},
        "GBP_m",
    ),
    "project_figures": ({"amount_gbp": "AMOUNT_M", "project_ref": "PROJECT"}, "GBP_m"),
    "target_versions": ({"target_gbp": "TARGET", "financial_year": "YEAR"}, "GBP"),
}
AMOUNTS = {"savings_targets": "target_gbp", "project_figures": "amount_gbp", "target_versions": "target_gbp"}

FILES = {
    "programmes": """
PROGRAMME_REF,PROGRAMME_NAME,LEVEL,PARENT_PROGRAMME_REF,REPORT_ORDER
M,Medium-term plan,portfolio,,1
M1,Adults,programme,M,2
M2,Commissioning,programme,M,3
""",
    "projects": """
PROJECT_REF,PROJECT_NAME,PROGRAMME_REF,SAVINGS_TYPE,ALIASES,REPORTED_UNDER,IS_ADULT_SOCIAL_CARE,GOVERNANCE_LEVEL,PURPOSE,\
ACTIVITY_MEASURE,SOURCE_SYSTEMS
N13,Strengths-based reviews,M1,cashable,,,Y,high,,,
C2,Commissioned care,M2,cashable and cost avoidance,,,Y,low,,,
""",
    "savings_targets": """
AS_AT,THEME,YEAR,GROSS_SAVING_M
2024-06-30,M1,2024/25,(1.315)
2024-06-30,M1,2025/26,(2.100)
2024-06-30,M1,2026/27,(0.750)
2024-06-30,M2,2024/25,(0.450)
2024-06-30,M2,2027/28,0.120
""",
    "target_versions": """
PROJECT_REF,VERSION_NUMBER,YEAR,VERSION_NAME,TARGET,REQUESTED_ON,APPROVED_ON,APPROVED_PRECISION,APPROVED_BY,DECISION,\
REQUEST_REF
N13,1,2024/25,Plan,"(1,315,000)",,2024-03-04,day,Full council,approved,
N13,2,2024/25,Change asked for,"(900,000)",2024-06-01,,,,requested,
C2,1,2024/25,Plan,"(450,000.50)",,2024-03-04,day,Full council,approved,
""",
    "project_figures": """
OPERATION,REPORT_DATE,PROJECT,AS_OF_DATE,AS_OF_PRECISION,PERIOD,FIGURE,EFFECT,SAVINGS_KIND,FIGURE_CODE,AMOUNT_M,PERCENT,\
AMOUNT_AS_PRINTED,IS_DERIVED,NOTE
insert,2024-06-30,N13,2024-03-31,day,2023/24,delivered,in_year,cashable,achieved,(4.100),,(4.1),N,
insert,2024-06-30,N13,2024-06-30,day,2024/25,delivered,year_to_date,cashable,achieved,(0.315),,(0.315),N,
insert,2024-06-30,C2,2024-06-30,day,2024/25,delivered,year_to_date,cashable,achieved,(0.100),,(0.1),N,
insert,2024-06-30,C2,2024-06-30,day,2024/25,mitigated,year_to_date,cost_avoidance,achieved,(0.200),,(0.2),N,
insert,2024-06-30,N13,2024-06-30,day,2024/25,forecast,year_end,cashable,forecast,(1.000),,(1.0),N,
""",
}


def edition(table: str) -> dict[str, Any]:
    """Give the main contract of a table as the city writes it."""
    main = yaml.safe_load((PROJECT / f"ingestion/contracts/programme/{table}.yaml").read_text(encoding="utf-8"))
    said = deepcopy(main)
    headers, unit = EDITIONS[table]
    said["servers"] = [{**main["servers"][0], "path": f"city/programme/{table}_{{date}}.csv"}]
    for column in said["schema"][0]["properties"]:
        column["physicalName"] = headers.get(column["name"], column["physicalName"])
        if column["name"] == AMOUNTS[table]:
            column["customProperties"] = [
                {"property": "extractUnit", "value": unit},
                {"property": "numberFormat", "value": "accounting"},
                {"property": "signConvention", "value": "reversed"},
            ]
    return dict(said)


@dataclass(frozen=True)
class Office:
    """A copy of the project that knows the city too, and a warehouse to run it on."""

    project: Path
    warehouse: Warehouse

    def command(self, *arguments: str) -> str:
        if arguments[0] in ("build", "run"):
            read_project.hand_over(self.warehouse.settings, self.project)
        done = subprocess.run(
            [sys.executable, "-m", "carehouse", *arguments],
            cwd=self.project,
            env={**self.warehouse.environment, "PYTHONPATH": str(self.project)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        read_project.keep(self.warehouse.settings)
        return done.stdout

    def table(self, query: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.command("sql", query))))

    def land_city(self) -> None:
        for table, text in FILES.items():
            self.warehouse.land(f"city/programme/{table}_{AS_AT}.csv", text.lstrip("\n"))

    def built(self, council: str, schema: str) -> dict[str, list[str]]:
        """Give every row of a council, mart by mart, without the numbers that a warehouse counts up."""
        marts = self.warehouse.rows(
            "select viewname from pg_views where schemaname = 'mart' union "
            "select relname from pg_class where relnamespace = 'candidate'::regnamespace and relkind = 'r'"
        )
        found = {}
        for (mart,) in sorted(marts):
            columns = self.warehouse.rows(
                f"select attname from pg_attribute where attrelid = to_regclass('{schema}.{mart}') and attnum > 0"
            )
            if {("council_code",), ("publication_id",)} <= set(columns):
                rows = self.warehouse.rows(
                    f"select (to_jsonb(mart) - 'publication_id' - 'batch_id')::text from {schema}.{mart} as mart "
                    f"where council_code = '{council}'"
                )
                found[mart] = sorted(row for (row,) in rows)
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("project")
    for folder in COPIED:
        shutil.copytree(
            PROJECT / folder, copied / folder, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    councils = copied / "ingestion" / "councils.yaml"
    councils.write_text(councils.read_text() + "  - code: city\n    name: City\n    note: Invented, in a test.\n")
    for table in EDITIONS:
        path = copied / "ingestion" / "contracts" / "programme" / f"{table}.city.yaml"
        path.write_text(yaml.safe_dump(edition(table), sort_keys=False))
    with (copied / "dbt_project" / "seeds" / "measure_projects.csv").open("a") as seed:
        seed.write("K065,city,C2\n")
    return copied


@pytest.fixture(scope="module")
def both(server: Settings, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """City, county and the invented council, published in one night."""
    with fresh_warehouse(server, tmp_path_factory.mktemp("both") / "home") as fresh:
        fresh.land_all_examples()
        office = Office(project, fresh)
        office.land_city()
        office.command("synth", "--people", "600", "--seed", "7")
        office.command("run", "--business-date", AS_AT)
        yield office


def figures(office: Office, measure_id: str, council: str = "city") -> dict[tuple[str, str], Decimal]:
    rows = office.table(
        f"select breakdown_type, breakdown_value, value from mart.kpi_values where measure_id = '{measure_id}' "
        f"and council_code = '{council}' and period_end_date = '{AS_AT}' and value is not null"
    )
    return {(row["breakdown_type"], row["breakdown_value"]): Decimal(row["value"]) for row in rows}


def test_amounts_in_brackets_and_millions_are_pounds_saved(both: Office) -> None:
    targets = both.table(
        "select programme_ref, financial_year, target_gbp from mart.fct_savings_targets where council_code = 'city' "
        "order by programme_ref, financial_year"
    )
    assert [tuple(row.values()) for row in targets] == [
        ("M1", "2024/25", "1315000.00"),
        ("M1", "2025/26", "2100000.00"),
        ("M1", "2026/27", "750000.00"),
        ("M2", "2024/25", "450000.00"),
        ("M2", "2027/28", "-120000.00"),
    ]
    positions = both.table(
        "select project_ref, version_number, target_gbp from mart.kpi_target_positions where council_code = 'city' "
        "and is_in_force order by project_ref"
    )
    assert [tuple(row.values()) for row in positions] == [("C2", "1", "450000.50"), ("N13", "1", "1315000.00")]
    printed = both.table(
        "select amount_gbp, amount_as_printed from mart.fct_project_figures where council_code = 'city' "
        "and project_ref = 'N13' and period = '2023/24'"
    )
    assert printed == [{"amount_gbp": "4100000.00", "amount_as_printed": "(4.1)"}]


def test_the_portfolio_of_the_city_has_its_own_four_years(both: Office) -> None:
    (line,) = both.table(
        "select * from mart.kpi_portfolio_status where council_code = 'city' and level_code = 'portfolio'"
    )
    labels = [line[f"target_year_{year}_label"] for year in range(1, 6)]
    amounts = [line[f"target_year_{year}_gbp_k"] for year in range(1, 6)]
    assert labels == ["2024/25", "2025/26", "2026/27", "2027/28", ""]
    assert amounts == ["1765", "2100", "750", "-120", ""]
    assert (line["target_total_gbp_k"], line["risk_total_gbp_k"]) == ("4495", "")


def test_measures_of_the_citys_plan_are_calculated_from_its_register(both: Office) -> None:
    assert figures(both, "K062") == {
        ("council", "city"): Decimal("1765000.00"),
        ("programme", "M1"): Decimal("1315000.00"),
        ("programme", "M2"): Decimal("450000.00"),
    }
    # Cumulative and incremental are both quoted of one plan (R28); cost avoidance is in neither (R14).
    assert figures(both, "K063") == {
        ("council", "city"): Decimal("4515000.00"),
        ("project", "N13"): Decimal("4415000.00"),
        ("project", "C2"): Decimal("100000.00"),
    }
    assert figures(both, "K064") == {
        ("council", "city"): Decimal("415000.00"),
        ("project", "N13"): Decimal("315000.00"),
        ("project", "C2"): Decimal("100000.00"),
    }
    commissioning = figures(both, "K065")
    assert sorted(commissioning.values()) == [Decimal("100000.00"), Decimal("200000.00")]
    assert {kind for _, kind in commissioning if "cost_avoidance" in kind or "cashable" in kind} == {
        kind for _, kind in commissioning
    }
    assert figures(both, "K051") == {
        ("council", "city"): Decimal(2),
        ("governance_level", "high"): Decimal(1),
        ("governance_level", "low"): Decimal(1),
    }
    # A council that states nothing at risk has none, not 0.
    assert figures(both, "K046") == {}


def test_each_council_is_what_it_is_alone(
    both: Office, server: Settings, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The city's first project has the number of one of the county's: nothing of either may reach the other."""
    for council in ("city", "county"):
        with fresh_warehouse(server, tmp_path_factory.mktemp(council) / "home") as fresh:
            office = Office(project, fresh)
            if council == "city":
                office.land_city()
                # Published, though nothing else is delivered.
                office.command("run", "--business-date", AS_AT)
            else:
                fresh.land_all_examples()
                # Its last papers are older than all months that are shown: the gate would ask for a figure.
                office.command("ingest", "--business-date", AS_AT)
                office.command("build", "--as-at", AS_AT)
            alone = office.built(council, "mart" if council == "city" else "candidate")
        together = both.built(council, "mart")
        if council == "county":
            # A candidate has the open marts beside the others, and none about publications.
            compared = alone.keys() & together.keys()
            assert len(compared) > 70
            alone, together = ({mart: built[mart] for mart in compared} for built in (alone, together))
        assert alone.keys() == together.keys()
        assert sum(len(rows) for rows in alone.values()) > 50
        differing = {mart for mart in alone if alone[mart] != together[mart]}
        assert differing == set(), json.dumps({mart: (alone[mart][:2], together[mart][:2]) for mart in differing})


def test_the_county_by_itself_is_published_while_its_papers_are_new(
    server: Settings, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with fresh_warehouse(server, tmp_path_factory.mktemp("new") / "home") as fresh:
        fresh.land_all_examples()
        office = Office(project, fresh)
        office.command("run", "--business-date", "2019-01-07")
        assert {row["council_code"] for row in office.table("select council_code from mart.kpi_values")} == {"county"}
