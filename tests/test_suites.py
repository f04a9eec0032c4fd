"""Suites: the shipped ones fit the marts, and a suite with anything misspelt is refused when it is read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from carehouse.declared_marts import declared
from expectations.arguments import Arguments, RowsWhere
from expectations.catalogue import Catalogue
from expectations.each_mart import RowsOfEveryCouncil
from expectations.parts import parts
from expectations.plan import plan
from expectations.suite import SuiteError, compare, load
from expectations.vocabulary import EXPECTATIONS
from tests.independent.definitions import variables

PROJECT = Path(__file__).resolve().parents[1]

GOOD = """
owner: Performance (performance@example.org)
checks:
  - id: name_present
    expectation: expect_column_values_to_not_be_null
    arguments: {column: name}
    severity: critical
    dimension: completeness
    says: Every row has a name.
    measures: [K001]
"""
PUBLICATION = """
owner: Performance (performance@example.org)
checks:
  - id: one_publication
    scope: every_table
    expectation: unexpected_rows
    arguments: {query: 'select 1 from {table} where publication_id is null'}
    severity: critical
    dimension: consistency
    says: Every row belongs to a publication.
"""


def written(folder: Path, **suites: str) -> Path:
    for name, text in suites.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_suites_of_marts_by_month_know_how_many_months_are_shown() -> None:
    asking = [check.arguments for suite in load() for check in suite.checks]
    months = [each.within_months for each in asking if isinstance(each, RowsOfEveryCouncil) and each.within_months]
    assert len(months) > 5
    assert set(months) == {variables()["month_end_window"]}


def test_shipped_suites_cover_every_mart_and_name_only_its_columns() -> None:
    marts = {name: dict.fromkeys(mart.promise.columns, True) for name, mart in declared(PROJECT).items()}
    assert marts
    with (PROJECT / "dbt_project" / "seeds" / "kpi_registry.csv").open() as registry:
        measures = frozenset(re.findall(r"^(K\d{3}),", registry.read(), flags=re.MULTILINE))

    contracts = (PROJECT / "ingestion" / "contracts").rglob("*.yaml")
    sources = frozenset(f"{file.parent.name}.{file.name.split('.')[0]}" for file in contracts)
    assert sources

    suites = load()
    compare(suites, Catalogue(marts, measures, sources))

    assert {suite.table for suite in suites if suite.table} == set(marts)
    assert all(any(check.severity == "critical" for check in suite.checks) for suite in suites)


def test_every_measure_of_the_registry_is_protected_by_a_critical_check() -> None:
    with (PROJECT / "dbt_project" / "seeds" / "kpi_registry.csv").open() as registry:
        measures = set(re.findall(r"^(K\d{3}),", registry.read(), flags=re.MULTILINE))
    assert measures

    # A check of the table of values that names no measure holds for all of them.
    protected = {
        measure
        for suite in load()
        for check in suite.checks
        if check.severity == "critical"
        for measure in check.measures or (measures if suite.table == "kpi_values" else ())
    }

    assert protected >= measures


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "severity: critical",
            "severty: critical",
            "unknown key 'severty'; allowed: id, expectation, arguments,",
        ),
        (
            "severity: critical",
            "severity: fatal",
            "severity: Input should be 'critical', 'warning' or 'information'",
        ),
        ("dimension: completeness", "dimension: tidiness", "Input should be 'completeness', 'conformance'"),
        (
            "not_be_null",
            "not_be_nul",
            "unknown expectation 'expect_column_values_to_not_be_nul'; allowed: expect_",
        ),
        (
            "{column: name}",
            "{colum: name}",
            "the key 'column' is missing; unknown key 'colum'; allowed: column, mostly",
        ),
        ("{column: name}", "{column: name, mostly: 90}", "mostly: Input should be less than or equal to 1"),
        ("    arguments: {column: name}\n", "", "the key 'column' is missing"),
        ("says: Every row has a name.", "says: name", "says: String should"),
        ("[K001]", "[reviews]", "measures.0: String should match pattern"),
        ("    severity: critical\n", "", "the key 'severity' is missing"),
        ("    severity:", "    severity: warning\n    severity:", "the key 'severity' is given twice"),
        (
            "    severity:",
            "    scope: every_table\n    severity:",
            "'scope' is allowed in publication.yaml alone",
        ),
        ("id: name_present", "id: Name present", "id: String should match pattern"),
        (
            "owner: Performance (performance@example.org)",
            "owner: nobody",
            "owner: String should match pattern",
        ),
        ("owner: Performance (performance@example.org)\n", "", "the key 'owner' is missing"),
    ],
)
def test_misspelt_suite_is_refused_with_file_check_and_what_is_allowed(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in GOOD
    with pytest.raises(SuiteError) as refusal:
        load(written(tmp_path, people=GOOD.replace(right, wrong)))

    assert said in str(refusal.value)
    assert "people.yaml" in str(refusal.value)


def test_refusal_names_the_check(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"people\.yaml, check name_present: unknown key"):
        load(written(tmp_path, people=GOOD.replace("severity", "severty")))


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as refusal:
        load(written(tmp_path, people=GOOD.replace("severity", "severty"), places=GOOD.replace("says", "sais")))

    assert "people.yaml" in str(refusal.value)
    assert "places.yaml" in str(refusal.value)


@pytest.mark.parametrize("text", ["", "owner: P (p@example.org)\nchecks: []\n", "owner: P (p@example.org)\n"])
def test_a_suite_without_a_check_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SuiteError, match=r"people\.yaml"):
        load(written(tmp_path, people=text))


def test_no_suite_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="there is no suite"):
        load(tmp_path)


DELIVERED = """
owner: Performance (performance@example.org)
delivered_by: [mosaic.persons]
checks:
  - id: people_delivered
    expectation: rows_of_every_council_that_delivers
    severity: critical
    dimension: completeness
    says: Every council that delivers people has them here.
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("severity: critical", "severity: warning", "check people_delivered must be critical"),
        ("delivered_by: [mosaic.persons]", "allow_empty: true", "check people_delivered needs 'delivered_by'"),
        ("[mosaic.persons]", "[persons]", "delivered_by.0: String should match pattern"),
        ("rows_of_every_council_that_delivers", "rows_of_each_council", "unknown expectation 'rows_of_each_council'"),
        (
            "expectation: rows_of_every_council_that_delivers",
            "expectation: expect_table_row_count_to_be_between\n    arguments: {min_value: 1}",
            "'delivered_by' needs a check 'rows_of_every_council_that_delivers'",
        ),
    ],
)
def test_a_mart_that_may_be_empty_while_nobody_delivers_must_watch_for_who_does(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in DELIVERED
    load(written(tmp_path, people=DELIVERED))
    load(written(tmp_path, people=DELIVERED.replace("severity: critical", "severity: warning") + "allow_empty: true\n"))
    with pytest.raises(SuiteError) as refusal:
        load(written(tmp_path, people=DELIVERED.replace(right, wrong)))

    assert said in str(refusal.value)


def test_a_source_table_without_a_contract_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    suites = load(written(tmp_path, people=DELIVERED))

    with pytest.raises(SuiteError, match=r"unknown source table 'mosaic\.persons'; allowed: mosaic\.people"):
        compare(suites, Catalogue({"people": {}}, None, frozenset({"mosaic.people"})))
    compare(suites, Catalogue({"people": {}}, None, frozenset({"mosaic.persons"})))


def test_an_id_used_in_two_suites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"places\.yaml, check name_present: this id is used already in people\.yaml"):
        load(written(tmp_path, people=GOOD, places=GOOD))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("    scope: every_table\n", "", "{table}, {text} and {keys} stand for something only"),
        ("from {table}", "from candidate.people", "each table gets the same answer"),
        (
            "scope: every_table\n    expectation: unexpected_rows\n    arguments: {query: 'select 1 from {table}",
            "expectation: unexpected_rows\n    arguments: {query: 'select 1 from candidate.people",
            "rows_checked is missing",
        ),
        (
            "unexpected_rows\n    arguments: {query: 'select 1 from {table} where publication_id is null'}",
            "no_row_where\n    arguments: {condition: '{text} is null', by: [publication_id]}",
            "'by' is for the suites of marts",
        ),
        (
            "publication_id is null",
            "{text} = 1",
            "{table} and {keys} stand for something in a query alone, {text} in a",
        ),
        (
            "unexpected_rows\n    arguments: {query: 'select 1 from {table} where publication_id is null'}",
            "no_row_where\n    arguments: {condition: '{keys} is null'}",
            "{table} and {keys} stand for something in a query alone, {text} in a",
        ),
        (
            "unexpected_rows\n    arguments: {query: 'select 1 from {table} where publication_id is null'}",
            "expect_column_values_to_not_be_null\n    arguments: {column: publication_id}",
            "is of no single mart; allowed: unexpected_rows",
        ),
    ],
)
def test_checks_of_the_publication_must_say_what_they_are_about(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in PUBLICATION
    with pytest.raises(SuiteError) as refusal:
        load(written(tmp_path, publication=PUBLICATION.replace(right, wrong)))

    assert said in str(refusal.value)


def test_a_column_or_measure_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    suites = load(written(tmp_path, people=GOOD))

    with pytest.raises(SuiteError, match=r"check name_present: unknown column 'name'; allowed: nom, prenom"):
        compare(suites, Catalogue({"people": {"nom": True, "prenom": True}}, frozenset({"K001"})))
    with pytest.raises(SuiteError, match=r"check name_present: unknown measure 'K001'; allowed: K007, K016"):
        compare(suites, Catalogue({"people": {"name": True}}, frozenset({"K007", "K016"})))
    compare(suites, Catalogue({"people": {"name": True}}, frozenset({"K001"})))


def test_a_condition_judges_rows_by_columns_that_exist(tmp_path: Path) -> None:
    by_nome = GOOD.replace("expect_column_values_to_not_be_null", "no_row_where")
    by_nome = by_nome.replace("{column: name}", "{condition: name is null, by: [nome]}")
    suites = load(written(tmp_path, people=by_nome))

    with pytest.raises(SuiteError, match=r"check name_present: unknown column 'nome'; allowed: name"):
        compare(suites, Catalogue({"people": {"name": True}}, None))


def test_a_large_mart_is_asked_about_first_and_its_conditions_at_once(tmp_path: Path) -> None:
    check = GOOD.partition("checks:\n")[2]
    conditions = "".join(
        check.replace("name_present", f"condition_{number}")
        .replace("expect_column_values_to_not_be_null", "no_row_where")
        .replace("{column: name}", "{condition: name is null}")
        for number in range(40)
    )
    large = GOOD.replace("name_present", "large_name") + conditions
    suites = load(written(tmp_path, people=GOOD, places=large))
    declared = plan(suites, Catalogue({"people": {"name": True}, "places": {"name": True}}, None))

    asked = [(part.table, len(part.checks)) for part in parts(declared, {"people": 5, "places": 1_000_000})]

    assert asked == [("places", 1), (None, 40), ("people", 1)]


def test_a_bound_or_a_set_that_would_always_pass_is_refused(tmp_path: Path) -> None:
    between = GOOD.replace("values_to_not_be_null", "values_to_be_between")
    in_set = GOOD.replace("values_to_not_be_null", "values_to_be_in_set").replace("name}", "name, value_set: []}")

    with pytest.raises(SuiteError, match="without a bound the check always passes"):
        load(written(tmp_path, people=between))
    with pytest.raises(SuiteError, match="value_set: List should have at least 1 item"):
        load(written(tmp_path, people=in_set))


def test_a_check_of_every_table_is_declared_for_missing_and_for_unwatched_tables(tmp_path: Path) -> None:
    text = PUBLICATION.replace("unexpected_rows", "no_row_where")
    text = text.replace("{query: 'select 1 from {table} where publication_id is null'}", "{condition: '{text} like 1'}")
    suites = load(written(tmp_path, people=GOOD, publication=text))
    built = {"unwatched": {"council_code": True, "count": False}, "numbers": {"count": False}}

    declared = {check.name: check for check in plan(suites, Catalogue(built, None))}

    assert set(declared) == {
        ("people", "name_present"),
        ("publication", "one_publication.numbers"),
        ("publication", "one_publication.people"),
        ("publication", "one_publication.unwatched"),
    }
    assert declared["publication", "one_publication.numbers"].arguments is None
    said = declared["publication", "one_publication.unwatched"].arguments
    assert isinstance(said, RowsWhere)
    assert (said.condition, said.count) == ("row_text like 1", "sum(row_count)")
    assert "concat_ws(' | ', \"council_code\"::text) as row_text" in said.source


def test_every_expectation_and_argument_of_the_vocabulary_is_one_of_great_expectations() -> None:
    import great_expectations.expectations as gxe

    arguments: dict[str, type[Arguments]] = {
        name: form for name, form in EXPECTATIONS.items() if name.startswith("expect_")
    }
    assert arguments
    for name, form in arguments.items():
        theirs = getattr(gxe, "".join(part.capitalize() for part in name.split("_")))
        assert set(form.model_fields) <= set(theirs.__fields__), name


def test_importing_the_gate_imports_neither_great_expectations_nor_airflow() -> None:
    code = "import sys, expectations.gate; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    imported = set(said.stdout.split())
    assert "expectations.evaluate" in imported
    assert not imported & {"great_expectations", "airflow"}
