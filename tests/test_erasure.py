"""A person who was erased is found nowhere, does not come back, and moves no total."""

import json
import shutil
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import psycopg
import pytest

from carehouse.database import Role, connect, url
from carehouse.embedded import programs
from carehouse.errors import CarehouseError
from carehouse.publication import publish
from ingestion import erasure, erasure_register, legal_hold
from ingestion.contract import load_contracts
from ingestion.landing import ingest
from ingestion.rotation import rotate
from ingestion.suppression import PERSON, Tokens, domains
from tests import people
from tests.conftest import DEBIAN_15, Warehouse
from tests.people import COUNCIL, NEEDLES, OTHER, PLANTED, SHARED_STEP, TWIN, found_anywhere
from tests.test_publication import judge

WHY = "Request 2018/17, granted in October"
NEXT_DAY = "2018-11-01"
TRAIL = ("erasure", "erasure_step", "suppressed_value", "redacted_file", "legal_hold", "legal_hold_lifted")


def loaded(warehouse: Warehouse) -> None:
    people.land(warehouse)
    # A file that cannot be read holds them too.
    warehouse.land(f"{COUNCIL}/mosaic/addresses_2018-10-31.csv", f"SOMETHING,ELSE\n{PLANTED},1 High Street\n")
    outcome = ingest(warehouse.settings, business_date=date(2018, 10, 31))
    assert (outcome.accepted, outcome.refused) == (len(people.texts()), 1)


def published(warehouse: Warehouse) -> int:
    """Publish a fact about the planted person and another one, and what they contribute."""
    with connect(warehouse.settings, Role.BUILDER) as builder:
        row = builder.execute(
            "insert into audit.build (as_at_date, code_version, state) values ('2018-10-31', 'test', 'built') "
            "returning build_id"
        ).fetchone()
        assert row is not None
        build_id = int(row[0])
        builder.execute(
            f"""
            create table candidate.fct_services as
            select {build_id}::bigint as publication_id, services.council_code,
                services.element_ref || '-' || services.split_number as service_id, services.element_ref,
                people.person_id, 10.00::numeric(16, 2) as weekly_cost_gbp
            from history.mosaic__service_elements as services
            inner join history.mosaic__persons as people using (council_code, person_ref);
            create table candidate.fct_provider_payments as
            select {build_id}::bigint as publication_id, council_code, payment_ref as payment_id, element_ref, actual_gbp
            from history.finance__provider_payments;
            create table candidate.kpi_contributions as
            select publication_id, council_code, 'fct_services'::text as fact_name, service_id as fact_key, person_id,
                1::numeric(28, 12) as numerator
            from candidate.fct_services;
            """
        )
        for table in ("fct_services", "fct_provider_payments", "kpi_contributions"):
            builder.execute(
                f"alter table candidate.{table} add constraint publication_is_constant "
                f"check (publication_id = {build_id}), alter council_code set not null, "
                "add constraint whose_rows check (council_code <> 'all')"
            )
    judge(warehouse, build_id)
    publish(warehouse.settings, build_id)
    return build_id


def erase(warehouse: Warehouse, person: str = PLANTED) -> erasure.Erased:
    return erasure.erase(warehouse.settings, COUNCIL, person, "the records manager", WHY)


def test_a_change_of_the_pseudonym_key_hides_nobody_from_erasure(warehouse: Warehouse) -> None:
    def pseudonyms() -> set[str]:
        theirs = f"select person_id from history.mosaic__persons where person_ref in ({PLANTED}, {TWIN})"
        return {person for (person,) in warehouse.rows(theirs)}

    loaded(warehouse)
    published(warehouse)
    known_as = pseudonyms()
    rotate(warehouse.settings, "a tester", "the yearly change of key")
    known_as |= pseudonyms()
    assert len(known_as) == 4
    assert erase(warehouse).left == {}
    assert found_anywhere(warehouse, (*NEEDLES, *known_as)) == []


def test_a_person_erased_is_found_nowhere_and_moves_no_total(warehouse: Warehouse) -> None:
    loaded(warehouse)
    published(warehouse)
    pseudonyms = tuple(
        row[0]
        for row in warehouse.rows(
            f"select person_id from history.mosaic__persons where person_ref in ({PLANTED}, {TWIN})"
        )
    )
    assert len(pseudonyms) == 2
    assert len(found_anywhere(warehouse, (*NEEDLES, *pseudonyms))) > 10
    sums = "select sum(weekly_cost_gbp), count(distinct person_id), count(distinct service_id) from mart.fct_services"
    before = warehouse.rows(sums, Role.READER)

    done = erase(warehouse)

    assert (done.quarantined, done.left) == (1, {})
    assert found_anywhere(warehouse, (*NEEDLES, *pseudonyms)) == []
    assert warehouse.rows(sums, Role.READER) == before
    # Money stays, and what belongs to two people stays with the other.
    assert warehouse.rows("select sum(actual_gbp) from history.finance__provider_payments") == [(100,)]
    assert warehouse.rows("select sum(actual_gbp) from mart.fct_provider_payments", Role.READER) == [(100,)]
    assert warehouse.rows("select step_ref from history.mosaic__workflow_steps") == [(int(SHARED_STEP),)]
    assert warehouse.rows("select subgroup_ref, person_ref from history.mosaic__subgroup_subjects") == [(2, int(OTHER))]
    assert warehouse.rows("select sum(amount_gbp) from history.ledger__lines") == [(20,)]
    # Facts and contributions still meet.
    joined = (
        "select count(*) from mart.kpi_contributions as part "
        "inner join mart.fct_services as fact on part.fact_key = fact.service_id and part.person_id = fact.person_id"
    )
    assert warehouse.rows(joined, Role.READER) == [(2,)]


def test_a_file_that_is_kept_has_every_other_line_where_it_was(warehouse: Warehouse) -> None:
    loaded(warehouse)
    (kept,) = (warehouse.settings.home / "archive" / COUNCIL / "mosaic").glob("persons_*.csv")
    before = kept.read_text().splitlines()
    erase(warehouse)
    after = kept.read_text().splitlines()
    assert len(after) == len(before)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 3
    assert all(new == "" and (PLANTED in old or TWIN in old) for old, new in changed)
    recorded = warehouse.rows(
        "select action_code, lines_blanked, sha256_before = content_sha256, sha256_after <> content_sha256 "
        "from audit.redacted_file inner join audit.batch on sha256_before = content_sha256 "
        "where table_name = 'persons'"
    )
    assert recorded == [("redacted", 3, True, True)]
    removed = "select file_path like 'refused/%addresses%' from audit.redacted_file where action_code = 'removed'"
    assert warehouse.rows(removed) == [(True,)]


def test_a_later_extract_does_not_bring_the_person_back(warehouse: Warehouse) -> None:
    loaded(warehouse)
    erase(warehouse)
    people.land(warehouse, NEXT_DAY)
    assert ingest(warehouse.settings, business_date=date(2018, 11, 1)).accepted == len(people.texts())
    assert found_anywhere(warehouse, NEEDLES) == [
        # The files as they came, until they are redacted.
        each
        for each in found_anywhere(warehouse, NEEDLES)
        if NEXT_DAY in each
    ]
    of_day = dict(
        warehouse.rows(
            f"select table_name, (rows_in, rows_new, rows_changed, rows_unchanged, rows_rejected, rows_erased)::text "
            f"from audit.batch where extract_date = '{NEXT_DAY}'"
        )
    )
    assert of_day["persons"] == "(303,0,0,300,0,3)"
    assert of_day["service_elements"] == "(2,0,0,1,0,1)"
    # What is kept with other numbers is the same row as before.
    assert of_day["provider_payments"] == "(2,0,0,2,0,0)"
    assert of_day["income"] == "(2,0,0,2,0,0)"
    assert of_day["lines"] == "(2,0,0,2,0,0)"
    assert erasure.reapply(warehouse.settings) != []
    assert found_anywhere(warehouse, NEEDLES) == []
    assert erasure.reapply(warehouse.settings) == []


def test_a_line_that_cannot_be_divided_is_not_kept_if_it_is_theirs(warehouse: Warehouse) -> None:
    loaded(warehouse)
    erase(warehouse)
    broken = people.texts()["mosaic.persons"] + f"{PLANTED},,{people.FORENAME}\n777,,Bob\n"
    warehouse.land(f"{COUNCIL}/mosaic/persons_{NEXT_DAY}.csv", broken)
    assert ingest(warehouse.settings, business_date=date(2018, 11, 1)).accepted == 1
    counted = f"select rows_rejected, rows_erased from audit.batch where extract_date = '{NEXT_DAY}'"
    assert warehouse.rows(counted) == [(1, 4)]
    assert warehouse.rows("select count(*) from quarantine.rejected_row") == [(1,)]


def test_what_was_erased_since_a_backup_is_erased_again_after_it_is_restored(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    loaded(warehouse)
    dump = tmp_path / "backup.dump"
    archive = tmp_path / "archive"
    with warehouse.admin() as admin:
        # An older server does not know what a newer program sets.
        pg = programs(warehouse.settings) if admin.info.server_version >= 180000 else DEBIAN_15
    where = url(warehouse.settings, Role.ADMIN)
    subprocess.run([pg / "pg_dump", "--format=custom", f"--file={dump}", where], check=True)
    shutil.copytree(warehouse.settings.home / "archive", archive)
    first = erase(warehouse)
    assert found_anywhere(warehouse, NEEDLES) == []

    subprocess.run(
        [pg / "pg_restore", "--clean", "--if-exists", f"--dbname={where}", dump], check=True, capture_output=True
    )
    shutil.rmtree(warehouse.settings.home / "archive")
    shutil.copytree(archive, warehouse.settings.home / "archive")
    assert len(found_anywhere(warehouse, NEEDLES)) > 10
    assert warehouse.rows("select count(*) from audit.erasure") == [(0,)]

    again = warehouse.command("retention", "reapply")
    assert again.returncode == 0, again.stderr
    assert found_anywhere(warehouse, NEEDLES) == []
    assert warehouse.rows("select erasure_id::text from audit.erasure") == [(first.erasure_id,)]
    assert warehouse.command("retention", "reapply").stdout.strip() == "Nothing was left to do."


def test_an_erasure_that_was_interrupted_is_ended(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(warehouse)
    published(warehouse)

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(erasure.erased_files, "redact", die)
        erase(warehouse)
    assert any(place.startswith("mosaic") for place in found_anywhere(warehouse, NEEDLES))
    (done,) = erasure.resume(warehouse.settings)
    assert done.left == {}
    assert found_anywhere(warehouse, NEEDLES) == []
    assert erasure.resume(warehouse.settings) == []


@pytest.mark.any_server
def test_two_erasures_wait_for_each_other(warehouse: Warehouse) -> None:
    loaded(warehouse)
    done: list[erasure.Erased] = []
    second = threading.Thread(target=lambda: done.append(erase(warehouse)))
    with warehouse.admin() as first:
        first.execute("select pg_advisory_lock(hashtext('carehouse erasure'))")
        second.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while warehouse.rows(waiting) == [(0,)]:
            assert second.is_alive()
        assert warehouse.rows("select count(*) from history.mosaic__persons") == [(302,)]
    second.join()
    assert [each.left for each in done] == [{}]


def test_the_trail_counts_and_names_nobody(warehouse: Warehouse) -> None:
    loaded(warehouse)
    erase(warehouse)
    steps = dict(
        warehouse.rows(
            "select object_name, rows_deleted + rows_severed from audit.erasure_step where step_code = 'history'"
        )
    )
    assert steps["mosaic.persons"] == 2
    assert steps["finance.provider_payments"] == 1
    (trail,) = warehouse.rows("select kind, council_code, because, decided_by from audit.erasure")
    assert trail == ("erasure", COUNCIL, WHY, "the records manager")
    kept = erasure_register.file(warehouse.settings)
    assert all(needle not in kept.read_text() for needle in NEEDLES)
    # The token is no pseudonym: another key made it.
    tokens = Tokens.of(warehouse.settings)
    assert tokens.token(COUNCIL, PERSON, PLANTED) in kept.read_text()
    assert tokens.key != warehouse.settings.secret("pseudonym_key").encode()


@pytest.mark.any_server
def test_nobody_changes_the_trail(warehouse: Warehouse) -> None:
    for role in (Role.LOADER, Role.BUILDER, Role.PUBLISHER, Role.AUDITOR):
        for table in TRAIL:
            for statement in ("delete from audit.{}", "update audit.{} set because = 'another'", "truncate audit.{}"):
                with (
                    connect(warehouse.settings, role, autocommit=True) as session,
                    pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedColumn)),
                ):
                    session.execute(statement.format(table))  # type: ignore[arg-type]


@pytest.mark.any_server
def test_what_is_refused(warehouse: Warehouse) -> None:
    loaded(warehouse)

    def refused(match: str, person: str = PLANTED, because: str = WHY, by: str = "me", council: str = COUNCIL) -> None:
        with pytest.raises(CarehouseError, match=match) as caught:
            erasure.erase(warehouse.settings, council, person, by, because)
        assert all(needle not in str(caught.value) for needle in NEEDLES)

    refused("Nobody of", person="123123123")
    refused("no such council", council="atlantis")
    refused("digits", person="Quillona")
    refused("why", because="so")
    refused("must not name", because=f"They asked, {PLANTED}")
    refused("must not name", because=f"{people.FORENAME} {people.SURNAME.upper()} asked")
    with connect(warehouse.settings, Role.BUILDER, autocommit=True) as builder:
        builder.execute("select pg_advisory_lock(hashtext('carehouse build'))")
        refused("A build is running")
    assert warehouse.rows("select count(*) from audit.erasure") == [(0,)]
    assert not erasure_register.file(warehouse.settings).exists()


@pytest.mark.any_server
def test_another_key_is_refused_before_anything_is_loaded(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(warehouse)
    erase(warehouse)
    people.land(warehouse, NEXT_DAY)
    monkeypatch.setenv("CAREHOUSE_ERASURE_KEY", "another one")
    with pytest.raises(CarehouseError, match="another erasure key"):
        ingest(warehouse.settings, business_date=date(2018, 11, 1))
    with pytest.raises(CarehouseError, match="another erasure key"):
        erasure.reapply(warehouse.settings)


@pytest.mark.any_server
def test_a_register_that_was_changed_is_refused(warehouse: Warehouse) -> None:
    loaded(warehouse)
    erase(warehouse)
    file = erasure_register.file(warehouse.settings)
    said = json.loads(file.read_text())
    said["entry"]["values"] = {}
    file.write_text(json.dumps(said) + "\n")
    with pytest.raises(CarehouseError, match=r"Line 1 of .* was changed"):
        erasure.reapply(warehouse.settings)
    # What was half written when the power went was never acted on.
    file.write_text('{"entry": {"era')
    assert erasure_register.read(warehouse.settings) == []
    assert erasure.reapply(warehouse.settings) == []
    assert len(erasure_register.read(warehouse.settings)) == 1


@pytest.mark.any_server
@pytest.mark.parametrize(
    ("scope", "name"), [("person", None), ("council", None), ("record_class", "finance"), ("source", "mosaic")]
)
def test_nothing_held_is_erased_until_the_hold_is_lifted(warehouse: Warehouse, scope: str, name: str | None) -> None:
    loaded(warehouse)
    # The one merged into the person is the person.
    hold = legal_hold.place(
        warehouse.settings, scope, COUNCIL, name, TWIN if scope == "person" else None, "the lawyer", "Claim HC-2018-1"
    )
    assert found_anywhere(warehouse, (PLANTED,)) != []
    with pytest.raises(CarehouseError, match=f"legal hold {hold} on a .* placed by the lawyer"):
        erase(warehouse)
    assert warehouse.rows("select count(*) from history.mosaic__persons") == [(302,)]
    legal_hold.lift(warehouse.settings, hold, "the lawyer", "Claim HC-2018-1 is settled")
    with pytest.raises(CarehouseError, match="No legal hold"):
        legal_hold.lift(warehouse.settings, hold, "the lawyer", "Claim HC-2018-1 is settled")
    assert erase(warehouse).left == {}
    assert warehouse.rows("select count(*) from audit.legal_hold") == [(1,)]


def test_the_command_asks_for_the_person_where_nobody_sees_it(warehouse: Warehouse) -> None:
    loaded(warehouse)
    command = ("retention", "erase", "--council", COUNCIL, "--because", WHY)
    asked = subprocess.run(
        [*_program(), *command],
        env=warehouse.environment,
        input=f"{PLANTED}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert "found nowhere" in asked.stdout
    assert all(needle not in asked.stdout + asked.stderr for needle in NEEDLES)
    nobody = subprocess.run(
        [*_program(), *command], env=warehouse.environment, input="", capture_output=True, text=True, check=False
    )
    assert nobody.returncode == 1
    assert "standard input" in nobody.stderr


def test_every_column_that_leads_to_a_person_is_declared() -> None:
    contracts = {contract.name: contract for contract in load_contracts()}
    for contract in contracts.values():
        for column in contract.columns:
            if column.names_person:
                assert column.classification == "personal", f"{contract.name}.{column.name}"
                assert column.sql_type == "bigint", f"{contract.name}.{column.name}"
            if column.refers_to:
                table, _, target = column.refers_to.rpartition(".")
                assert target in {each.name for each in contracts[table].columns}, column.refers_to
            # A description that says whom it refers to says it to the machine too.
            for word in ("element_ref", "account_ref", "step_ref", "subgroup_ref", "installation_ref"):
                if column.name == word and f"{contract.name}.{word}" not in TARGETS:
                    assert column.refers_to, f"{contract.name}.{column.name}"
    assert domains(contracts["mosaic.persons"])
    assert not domains(contracts["mosaic.workers"])


TARGETS = {
    "mosaic.service_elements.element_ref",
    "registers.direct_payment_accounts.account_ref",
    "mosaic.workflow_steps.step_ref",
    "mosaic.subgroup_subjects.subgroup_ref",
    "registers.assistive_technology_installations.installation_ref",
}


def _program() -> list[str]:
    return [sys.executable, "-m", "carehouse"]
