"""Every published figure can be taken apart: its rows add up to it, and lead to lines of files that hold them."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from carehouse.database import Role
from carehouse.errors import CarehouseError
from carehouse.explain import Explanation, Source, explain
from carehouse.wanted_figure import Wanted
from ingestion.contract import load_contracts
from tests.conftest import Night, Warehouse

# One of each kind of figure: the latest that is not nothing.
FIGURES = """
    select distinct on (council_code, measure_id, period_type, breakdown_type)
        measure_id, period_end_date, council_code, period_type, breakdown_type, breakdown_value
    from mart.kpi_values
    order by
        council_code, measure_id, period_type, breakdown_type,
        coalesce(numerator, value, 0) = 0, period_end_date desc, breakdown_value
"""
OTHERWISE_WRITTEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


@pytest.fixture(scope="module")
def explained(night: Night) -> list[Explanation]:
    """Explanations of a figure of every kind, of all their rows."""
    wanted = [
        Wanted(measure, day.replace(day=1), council, period_type, (kind, part))
        for measure, day, council, period_type, kind, part in night.warehouse.rows(FIGURES, Role.READER)
    ]
    assert len(wanted) > 100
    return [explain(night.warehouse.settings, each) for each in wanted]


@pytest.mark.any_server
def test_the_rows_of_every_kind_of_figure_add_up_to_it(explained: list[Explanation]) -> None:
    counted = [each for each in explained if not each.is_stated]
    assert len({each.figure["measure_id"] for each in counted if each.contributions}) > 30
    assert [_name(each) for each in counted if not each.adds_up] == []
    for each in counted:
        assert each.contribution_count == len(each.contributions)
        assert (each.numerator or 0) == sum(one.numerator or 0 for one in each.contributions if one.times > 0)


@pytest.mark.any_server
def test_every_row_leads_to_lines_that_hold_it(night: Night, explained: list[Explanation]) -> None:
    archive = night.warehouse.settings.home / "archive"
    files: dict[Path, list[str]] = {}
    lost, elsewhere, checked = [], [], 0
    for each in explained:
        for contribution in each.contributions[:20]:
            if not contribution.fact or not contribution.sources:
                lost.append((_name(each), contribution.fact_name))
            for source in contribution.sources:
                checked += 1
                if not _stands_there(archive, each, source, files):
                    elsewhere.append((_name(each), source.file_name, source.line_number))
    assert lost == []
    assert elsewhere == []
    assert checked > 500


@pytest.mark.any_server
def test_stated_figures_lead_to_the_paper_that_states_them(explained: list[Explanation]) -> None:
    stated = [each for each in explained if each.is_stated]
    assert len(stated) > 5
    assert [_name(each) for each in stated if not each.contributions] == []


def _stands_there(archive: Path, each: Explanation, source: Source, files: dict[Path, list[str]]) -> bool:
    path = archive / each.figure["council_code"] / source.table.partition(".")[0] / source.archived_name
    if path not in files:
        files[path] = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else []
    lines = files[path]
    if source.line_number > len(lines):
        return False
    (cells,) = csv.reader([lines[source.line_number - 1]])
    there = {cell.strip() for cell in cells}
    return all(value in there or _as_in_extracts(value) in there for value in _values(source.key))


def _values(key: str) -> Iterator[str]:
    """The values of `element_ref 12, split_number 1`; a value may have commas of its own."""
    for pair in re.split(r", (?=[a-z_]+ )", key):
        yield pair.partition(" ")[2]


def _as_in_extracts(value: str) -> str:
    return OTHERWISE_WRITTEN.sub(r"\3/\2/\1", value)


def _name(each: Explanation) -> tuple[Any, ...]:
    figure = each.figure
    return figure["council_code"], figure["measure_id"], figure["period_type"], str(figure["period_end_date"])


def test_the_way_to_source_rows_shows_nothing_personal(night: Night) -> None:
    contracts = {contract.name: contract for contract in load_contracts()}
    steps = night.warehouse.rows(
        "select source_table, source_column, leads_to_code from mart.data_lineage where leads_to_code <> 'fact'",
        Role.READER,
    )
    assert len(steps) > 20
    for table, column, leads_to in steps:
        declared = {each.name: each for each in contracts[table].stored}
        assert column in declared, f"{table}.{column}"
        # Numbers of persons lead on and are never shown.
        assert (declared[column].classification == "personal") == (leads_to == "person"), f"{table}.{column}"


def test_a_person_reads_the_figure_its_meaning_and_its_lines(night: Night) -> None:
    asked = ("explain", "K016", "--period", "2018-10", "--council", "exampleshire", "--period-type", "year_to_date")
    said = night.warehouse.command(*asked, "--rows", "1")
    assert said.returncode == 0, said.stderr
    assert "K016 Moves to a more independent setting" in said.stdout
    assert "this is the figure." in said.stdout
    assert re.search(r"from mosaic\.service_elements element_ref \d+, split_number \d+: service_elements_", said.stdout)
    listed = night.warehouse.command(*asked, "--csv")
    rows = list(csv.DictReader(io.StringIO(listed.stdout)))
    keys = {row["fact_key"] for row in rows}
    assert f"{len(keys)} rows" in said.stdout
    assert all(row["file_name"] and int(row["line_number"]) > 1 for row in rows)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted("K999", date(2018, 10, 1)), "There is no measure K999"),
        (Wanted("K016", date(2030, 1, 1)), "no figure for 2030-01"),
        (
            Wanted("K001", date(2018, 11, 1), "exampleshire"),
            "to 2018-10. The newest extracts end before: .*mosaic.workflow_steps of exampleshire on 2018-10-31",
        ),
        (Wanted("K016", date(2018, 10, 1), "nowhere"), "There is no council nowhere .*exampleshire"),
        (Wanted("K016", date(2018, 10, 1), "exampleshire", "decade"), "There is no kind of period decade"),
        (Wanted("K016", date(2018, 10, 1)), "Say which council, with --council: county, exampleshire"),
        (
            Wanted("K016", date(2018, 10, 1), "exampleshire"),
            "Say which kind .*, with --period-type: month, year_to_date",
        ),
        (Wanted("K001", date(2018, 10, 1), "exampleshire", breakdown=("star_sign", "lion")), "no breakdown star_sign"),
        (Wanted("K001", date(2018, 10, 1), "exampleshire", breakdown=("age_band", "7")), r"no age_band 7 .*65\+"),
        (Wanted("K016", date(2018, 10, 1), publication_id=99), "Publication 99 is not kept"),
    ],
)
@pytest.mark.any_server
def test_what_is_not_there_is_said_plainly(night: Night, wanted: Wanted, says: str) -> None:
    with pytest.raises(CarehouseError, match=says):
        explain(night.warehouse.settings, wanted)


@pytest.mark.any_server
def test_before_the_first_publication_there_is_nothing_to_explain(warehouse: Warehouse) -> None:
    said = warehouse.command("explain", "K001", "--period", "2018-10")
    assert said.returncode != 0
    assert "Nothing has been published yet" in said.stderr
