"""A new pseudonym key: everybody is the same person under another name, whatever happens on the way."""

import json
from datetime import date
from typing import Any

import polars as pl
import psycopg
import pytest

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.publication import publish
from ingestion import landing, rotation
from ingestion.contract import load_contracts
from ingestion.landing import ingest
from ingestion.pseudonyms import Key
from ingestion.rotation import forget, rotate
from ingestion.withdrawal import withdraw
from tests.conftest import Warehouse
from tests.test_pseudonyms import ANOTHER_KEY, keep_secrets, land_persons
from tests.test_publication import judge

pytestmark = pytest.mark.any_server
VERSIONS = (
    "select council_code, person_ref, known_from, known_to, person_id from history.mosaic__persons order by 1, 2, 3"
)
WHY = ("a tester", "the yearly change of key")


@pytest.fixture
def peopled(warehouse: Warehouse) -> Warehouse:
    """People of two councils; one is known no longer."""
    for day, numbers in (("2018-10-29", range(1, 21)), ("2018-10-30", range(1, 20))):
        for council in ("exampleshire", "county"):
            land_persons(warehouse, day, *numbers, council=council)
        assert ingest(warehouse.settings, business_date=date.fromisoformat(day)).accepted == 2
    return warehouse


def _key(warehouse: Warehouse, version: int) -> Key:
    kept = json.loads((warehouse.settings.home / "secrets.json").read_text())
    return Key(version, kept["pseudonym_key" if version == 1 else f"pseudonym_key_{version}"])


def test_every_version_of_every_row_gets_the_new_pseudonym(peopled: Warehouse) -> None:
    before = peopled.rows(VERSIONS)
    done = rotate(peopled.settings, *WHY)
    assert (done.key_version, done.numbers, done.rows, done.links) == (2, 40, 40, 40)
    after = peopled.rows(VERSIONS)
    assert [row[:4] for row in after] == [row[:4] for row in before]
    assert sum(row[3] is not None for row in after) == 2
    key = _key(peopled, 2)
    assert [row[4] for row in after] == [key.pseudonyms(row[0], pl.Series([row[1]])).item() for row in after]
    assert not {row[4] for row in before} & {row[4] for row in after}


def test_every_table_that_keeps_a_pseudonym_is_among_those_rewritten(peopled: Warehouse) -> None:
    kept = peopled.rows(
        "select relname from pg_attribute inner join pg_class on attrelid = pg_class.oid "
        "where relnamespace = 'history'::regnamespace and attname = 'person_id' and relkind = 'r'"
    )
    rewritten = {contract.history_table for contract in load_contracts() if contract.pseudonymised}
    assert {table for (table,) in kept} == rewritten
    assert len(rewritten) == 8


def test_reloading_what_is_known_is_no_news_after_a_change_of_key(peopled: Warehouse) -> None:
    rotate(peopled.settings, *WHY)
    before = peopled.rows(VERSIONS)
    for council in ("exampleshire", "county"):
        land_persons(peopled, "2018-10-31", *range(1, 20), council=council)
    assert ingest(peopled.settings, business_date=date(2018, 10, 31)).accepted == 2
    assert peopled.rows(VERSIONS) == before
    counted = (
        "select sum(rows_new), sum(rows_changed), sum(rows_unchanged) from audit.batch where known_on = '2018-10-31'"
    )
    assert peopled.rows(counted) == [(0, 0, 38)]
    land_persons(peopled, "2018-11-01", *range(1, 21))
    ingest(peopled.settings, business_date=date(2018, 11, 1))
    returned = "select count(distinct person_id) from history.mosaic__persons where council_code = 'exampleshire'"
    assert peopled.rows(returned) == [(20,)]


def test_links_lead_from_every_earlier_key_to_the_one_in_use(peopled: Warehouse) -> None:
    names = []
    for _ in range(2):
        names.append({row[:3]: row[4] for row in peopled.rows(VERSIONS)})
        rotate(peopled.settings, *WHY)
    now = {row[:3]: row[4] for row in peopled.rows(VERSIONS)}
    asked = peopled.command("pseudonyms", "links")
    assert asked.returncode == 0, asked.stderr
    header, *lines = [line.split(",") for line in asked.stdout.splitlines()]
    assert header == ["council_code", "key_version", "retired_person_id", "person_id"]
    expected = {(who[0], str(number), old[who], now[who]) for number, old in enumerate(names, 1) for who in now}
    assert {tuple(line) for line in lines} == expected
    assert len(lines) == 80


def _publish_stays(warehouse: Warehouse) -> None:
    """Publish a fact about everybody that exampleshire lists, and how its rows lead to theirs in the extracts."""
    with connect(warehouse.settings, Role.BUILDER) as builder:
        row = builder.execute(
            "insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built') "
            "returning build_id"
        ).fetchone()
        build_id = int(row[0]) if row else 0
        builder.execute(
            f"""
            create table candidate.fct_stays as
            select {build_id}::bigint as publication_id, council_code, 'stay ' || source_line as stay_id, person_id
            from history.mosaic__persons where known_to is null and council_code = 'exampleshire';
            create table candidate.data_lineage as
            select {build_id}::bigint as publication_id, 'all'::text as council_code, 'fct_stays'::text as fact_name,
                'stay_id'::text as fact_key_column, 1 as source_number, 'mosaic.persons'::text as source_table,
                null::text as through_fact_name, leads_to_code, pair_number, source_column, fact_column
            from (
                values ('person', 1, 'person_ref', 'person_id'), ('source', 2, 'council_code', 'council_code')
            ) as pairs (leads_to_code, pair_number, source_column, fact_column);
            alter table candidate.fct_stays
                alter column council_code set not null,
                add constraint publication_is_constant check (publication_id = {build_id}),
                add constraint whose_rows check (council_code <> 'all');
            alter table candidate.data_lineage
                alter column council_code set not null,
                add constraint publication_is_constant check (publication_id = {build_id}),
                add constraint whose_rows check (council_code = 'all')
            """
        )
    judge(warehouse, build_id)
    publish(warehouse.settings, build_id)


def test_what_was_published_before_leads_to_its_lines_until_links_are_forgotten(peopled: Warehouse) -> None:
    lines = (
        "select * from mart.source_rows('fct_stays', 'exampleshire', array(select stay_id from mart.fct_stays)) "
        "order by fact_key"
    )
    _publish_stays(peopled)
    before = peopled.rows(lines, Role.READER)
    assert len(before) == 19
    for _ in range(2):
        rotate(peopled.settings, *WHY)
        assert peopled.rows(lines, Role.READER) == before
    forget(peopled.settings, 2, *WHY)
    assert peopled.rows(lines, Role.READER) == []


def test_links_can_be_forgotten_and_that_is_recorded(peopled: Warehouse) -> None:
    for _ in range(2):
        rotate(peopled.settings, *WHY)
    with pytest.raises(CarehouseError, match="Version 3 of the pseudonym key has not been retired"):
        forget(peopled.settings, 3, *WHY)
    assert forget(peopled.settings, 1, *WHY) == 40
    assert peopled.rows("select key_version, count(*) from audit.pseudonym_link group by 1") == [(2, 40)]
    recorded = "select through_key_version, row_count, forgotten_by, because from audit.pseudonym_links_forgotten"
    assert peopled.rows(recorded) == [(1, 40, *WHY)]


def test_whoever_was_erased_is_linked_no_more(peopled: Warehouse) -> None:
    rotate(peopled.settings, *WHY)
    with peopled.admin() as admin:
        admin.execute("delete from history.mosaic__persons where person_ref = 7")
    rotate(peopled.settings, *WHY)
    assert peopled.rows("select count(*) from audit.pseudonym_link") == [(76,)]


@pytest.mark.parametrize("step", ["_work_out", "_rewrite", "_link"])
def test_killed_anywhere_it_has_not_happened_and_can_be_run_again(
    peopled: Warehouse, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = peopled.rows(VERSIONS)
    real = getattr(rotation, step)

    def kill(loader: psycopg.Connection[Any], *given: Any) -> Any:
        real(loader, *given)
        with peopled.admin() as admin:
            admin.execute("select pg_terminate_backend(%s)", [loader.info.backend_pid])
        return real(loader, *given)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, step, kill)
        with pytest.raises(psycopg.OperationalError):
            rotate(peopled.settings, *WHY)
    assert peopled.rows(VERSIONS) == before
    land_persons(peopled, "2018-10-31", *range(1, 20))
    assert ingest(peopled.settings, business_date=date(2018, 10, 31)).accepted == 1
    key = _key(peopled, 2)
    rotate(peopled.settings, *WHY)
    assert _key(peopled, 2) == key
    assert peopled.rows("select max(key_version), count(*) from audit.pseudonym_key") == [(2, 2)]
    assert peopled.rows("select count(*) from audit.pseudonym_link") == [(40,)]


@pytest.mark.parametrize(
    ("lock", "says"),
    [
        ("pg_advisory_lock_shared(hashtext('carehouse pseudonyms'))", "Something is being loaded"),
        ("pg_advisory_lock(hashtext('carehouse build'))", "A build is running"),
    ],
)
def test_it_waits_for_nobody_and_disturbs_nobody(peopled: Warehouse, lock: str, says: str) -> None:
    before = peopled.rows(VERSIONS)
    with peopled.admin() as busy:
        busy.execute(f"select {lock}")  # type: ignore[arg-type]
        refused = peopled.command("pseudonyms", "rotate", "--because", "the yearly change")
    assert refused.returncode == 1
    assert says in refused.stderr
    assert peopled.rows(VERSIONS) == before


def test_a_delivery_begun_under_the_old_key_is_not_loaded_under_the_new(
    peopled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_persons(peopled, "2018-10-31", *range(1, 25))
    before = peopled.rows("select count(*) from audit.batch")

    def change_first(*given: Any) -> Any:
        rotate(peopled.settings, *WHY)
        return found(*given)

    found = landing.expected
    monkeypatch.setattr(landing, "expected", change_first)
    with pytest.raises(CarehouseError, match="The pseudonym key was changed while files were loaded"):
        ingest(peopled.settings, business_date=date(2018, 10, 31))
    monkeypatch.undo()
    assert peopled.rows("select count(*) from audit.batch") == before
    assert ingest(peopled.settings, business_date=date(2018, 10, 31)).accepted == 1


def test_what_is_withdrawn_after_a_change_of_key_comes_back_under_the_new_name(peopled: Warehouse) -> None:
    rotate(peopled.settings, *WHY)
    ((latest,),) = peopled.rows("select max(batch_id) from audit.batch where council_code = 'county'")
    assert withdraw(peopled.settings, latest, *WHY, date(2018, 10, 31)).reopened == 1
    assert peopled.rows("select count(distinct person_id), count(*) from history.mosaic__persons") == [(40, 41)]


def test_a_lost_key_is_put_right_by_a_new_one(peopled: Warehouse) -> None:
    before = peopled.rows(VERSIONS)
    keep_secrets(peopled, pseudonym_key=None)
    land_persons(peopled, "2018-10-31", *range(1, 20))
    with pytest.raises(CarehouseError, match="is missing"):
        ingest(peopled.settings, business_date=date(2018, 10, 31))
    assert rotate(peopled.settings, "a tester", "the key was lost").links == 40
    assert ingest(peopled.settings, business_date=date(2018, 10, 31)).accepted == 1
    assert [row[:4] for row in peopled.rows(VERSIONS)] == [row[:4] for row in before]


def test_a_key_of_the_environment_is_followed_by_one_of_the_environment(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY", ANOTHER_KEY)
    land_persons(warehouse, "2018-10-30", 1)
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    with pytest.raises(CarehouseError, match="set CAREHOUSE_PSEUDONYM_KEY_2 and keep the old one"):
        rotate(warehouse.settings, *WHY)
    for given, says in ((ANOTHER_KEY, "was in use before"), ("swordfish", "fewer than 24 characters")):
        monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY_2", given)
        with pytest.raises(CarehouseError, match=says):
            rotate(warehouse.settings, *WHY)
    monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY_2", ANOTHER_KEY[::-1])
    assert rotate(warehouse.settings, *WHY).key_version == 2
    monkeypatch.delenv("CAREHOUSE_PSEUDONYM_KEY")
    assert ingest(warehouse.settings, business_date=date(2018, 10, 30)).refused == 0


def test_a_change_needs_somebody_to_change_and_a_reason(warehouse: Warehouse) -> None:
    with pytest.raises(CarehouseError, match="say who changes it, and why"):
        rotate(warehouse.settings, "a tester", " ")
    with pytest.raises(CarehouseError, match="Nobody has a pseudonym yet"):
        rotate(warehouse.settings, *WHY)
    assert warehouse.rows("select * from audit.pseudonym_key") == []


def test_the_versions_of_the_key_are_listed_without_a_key(peopled: Warehouse) -> None:
    rotate(peopled.settings, *WHY)
    listed = peopled.command("pseudonyms", "keys")
    assert listed.returncode == 0, listed.stderr
    assert "the yearly change of key" in listed.stdout
    assert len(listed.stdout.splitlines()) == 3
    for version in (1, 2):
        assert _key(peopled, version).secret not in listed.stdout
