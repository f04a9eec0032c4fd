"""Which published figures moved between two publications, and what moved them."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from carehouse.build import build
from carehouse.database import Role, connect
from carehouse.publication import publish, rollback
from carehouse.settings import Settings
from ingestion.landing import ingest
from ingestion.rotation import rotate
from ingestion.synth import write_extracts
from tests import read_project
from tests.conftest import Warehouse, fresh_warehouse
from tests.test_publication import judge

COUNCIL = "exampleshire"
FIRST, SECOND = date(2018, 9, 30), date(2018, 10, 31)
# The publication before which everybody got a new pseudonym.
REKEYED = 3
FIRST_IN_WINDOW = date(2015, 11, 30)
KEY = "council_code, measure_id, period_type, period_end_date, breakdown_type, breakdown_value"
# One table alone brings what was typed in late and put right by the second night; all others come as they were.
CORRECTED = ("mosaic", "service_elements")


@pytest.fixture(scope="module")
def restated(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Three publications: of the first night, of the correction, and of nothing new but the pseudonyms."""
    folder = tmp_path_factory.mktemp("restated")
    extracts = folder / "extracts"
    write_extracts(extracts, COUNCIL, 300, date(2016, 4, 1), SECOND, 5, nights=[FIRST, SECOND])
    with fresh_warehouse(server, folder / "home") as fresh:
        read_project.hand_over(fresh.settings)
        for number, night in enumerate((FIRST, SECOND, SECOND), 1):
            if number == REKEYED:
                rotate(fresh.settings, "a tester", "to see that no figure moves")
            for path in extracts.glob(f"{COUNCIL}/*/*_{FIRST}.csv"):
                of_night = path.with_name(path.name.replace(str(FIRST), str(night)))
                is_corrected = path.match(f"{'/'.join(CORRECTED)}_*")
                content = (of_night if is_corrected else path).read_bytes()
                fresh.land(str(of_night.relative_to(extracts)), content)
            ingest(fresh.settings, business_date=night)
            build_id = build(fresh.settings, night)
            judge(fresh, build_id)
            publish(fresh.settings, build_id)
        yield fresh


def _published(warehouse: Warehouse, publication: int, query: str) -> list[tuple[Any, ...]]:
    with connect(warehouse.settings, Role.READER, autocommit=True) as reader:
        reader.execute("select set_config('carehouse.publication', %s, false)", [str(publication)])
        return reader.execute(query).fetchall()


@pytest.mark.any_server
def test_every_figure_that_moved_is_listed_with_what_was_said_and_no_other(restated: Warehouse) -> None:
    figures = f"select {KEY}, numerator, denominator, value, value_text from mart.kpi_values"
    said, says = ({row[:6]: row[6:] for row in _published(restated, number, figures)} for number in (1, 2))
    periods = {key[:5] for key in said}
    moved = {
        key
        for key in {**said, **says}
        if said.get(key) != says.get(key) and key[:5] in periods and key[3] >= FIRST_IN_WINDOW
    }
    # One month more at the end, and one less at the beginning: neither is restated.
    assert max(key[3] for key in says) == SECOND
    assert min(key[3] for key in said) < FIRST_IN_WINDOW
    listed = _published(
        restated, 2, f"select {KEY}, change_code, previous_value, restated_value from mart.kpi_restatements"
    )
    changes = {row[:6]: row[6:] for row in listed}
    assert set(changes) == moved
    assert len(moved) > 2
    for key, (change, previous, now) in changes.items():
        assert change == ("vanished" if key not in says else "appeared" if key not in said else "changed")
        assert (previous, now) == (said.get(key, (None,) * 4)[2], says.get(key, (None,) * 4)[2])


@pytest.mark.any_server
def test_the_batch_that_moved_them_is_named_and_no_other(restated: Warehouse) -> None:
    assert _published(restated, 1, "select from mart.kpi_restatement_batches") == []
    batches = "select distinct source_name, table_name, event_code from mart.kpi_restatement_batches"
    assert _published(restated, 2, batches) == [(*CORRECTED, "delivered")]
    unexplained = """
        select measure_id from mart.kpi_restatements
        except select measure_id from mart.kpi_restatement_batches
    """
    assert _published(restated, 2, unexplained) == []


@pytest.mark.any_server
def test_a_restated_figure_stays_marked_when_nothing_moves_any_more(restated: Warehouse) -> None:
    listed = f"select {KEY}, restated_publication_id, restatement_count from mart.kpi_restatements order by {KEY}"
    assert _published(restated, 3, listed) == _published(restated, 2, listed)
    assert _published(restated, 3, "select from mart.kpi_restatements where is_since_last_publication") == []
    assert _published(restated, 3, "select from mart.kpi_restatement_batches") == []
    marked = f"select {KEY} from mart.kpi_values where data_status_code = 'restated' order by {KEY}"
    assert set(_published(restated, 3, marked)) <= {row[:6] for row in _published(restated, 2, listed)}
    assert _published(restated, 3, marked) != []
    assert _published(restated, 1, marked) == []


@pytest.mark.any_server
def test_each_publication_has_pseudonyms_of_one_key(restated: Warehouse) -> None:
    known = "select publication_id, pseudonym_key_version from mart.publication order by 1"
    assert restated.rows(known, Role.READER) == [(1, 1), (2, 1), (3, 2)]
    before, after = (
        {person for (person,) in _published(restated, number, "select person_id from mart.dim_person")}
        for number in (2, 3)
    )
    assert len(before) == len(after) > 200
    assert not before & after
    # Every pseudonym that a reader may have kept leads to today's, and no two to the same.
    links = dict(restated.rows("select retired_person_id, person_id from audit.pseudonym_link", Role.AUDITOR))
    assert {links[person] for person in before} == after


@pytest.mark.any_server
def test_what_was_published_under_an_old_key_leads_to_its_rows_still(restated: Warehouse) -> None:
    facts = (
        "select distinct fact_name, fact_key_column from mart.data_lineage where leads_to_code = 'person' order by 1"
    )
    through_people = _published(restated, REKEYED, facts)
    assert len(through_people) >= 2
    found = 0
    for fact, key in through_people:
        lines = (
            "select source_table, source_key, file_name, line_number, count(*) from mart.source_rows("
            f"'{fact}', '{COUNCIL}', array(select {key}::text from mart.{fact})) group by 1, 2, 3, 4"
        )
        before, after = (Counter(_published(restated, number, lines)) for number in (2, 3))
        assert before == after, fact
        found += len(before)
    assert found > 100


@pytest.mark.any_server
def test_what_readers_were_led_back_from_is_not_compared_with(restated: Warehouse) -> None:
    def compared_with() -> Any:
        ((previous,),) = restated.rows(
            f"select publication_id from store.previous_publication('{SECOND}', 99)", Role.BUILDER
        )
        return previous

    assert compared_with() == 3
    rollback(restated.settings, 1)
    assert compared_with() == 1
    rollback(restated.settings, 2)
    assert compared_with() == 2
    # A build of an earlier day's knowledge is compared with what rested on no later day.
    earlier = f"select publication_id from store.previous_publication('{FIRST}', 99)"
    assert restated.rows(earlier, Role.BUILDER) == [(1,)]
    assert restated.rows("select publication_id from store.previous_publication('2018-09-29', 99)") == []
