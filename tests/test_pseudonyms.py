"""Pseudonyms are of one key and one council, and no row is loaded under a wrong or lost key."""

import hashlib
import hmac
import json
from datetime import date

import polars as pl
import pytest

from carehouse.errors import CarehouseError
from ingestion.landing import ingest
from ingestion.pseudonyms import Key
from tests.conftest import Warehouse

PERSONS = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
ANOTHER_KEY = "another key that is quite long enough"
pytestmark = pytest.mark.any_server


def land_persons(warehouse: Warehouse, day: str, *numbers: int, council: str = "exampleshire") -> None:
    """Land an extract of people with these numbers."""
    rows = "".join(f"{number},,Ann,Example,01/02/1950,,F,\n" for number in numbers)
    warehouse.land(f"{council}/mosaic/persons_{day}.csv", PERSONS + rows)


def keep_secrets(warehouse: Warehouse, **changes: str | None) -> None:
    """Change secrets that are kept in the home, or with None lose them."""
    kept_in = warehouse.settings.home / "secrets.json"
    kept = {**json.loads(kept_in.read_text()), **changes}
    kept_in.write_text(json.dumps({name: value for name, value in kept.items() if value is not None}))


def test_a_pseudonym_is_a_keyed_hash_of_council_and_number() -> None:
    made = Key(1, "secret").pseudonyms("county", pl.Series("person_ref", [7, None])).to_list()
    assert made == [hmac.new(b"secret", b"county\x007", hashlib.sha256).hexdigest()[:32], None]


def test_neither_printing_a_key_nor_its_check_value_shows_it() -> None:
    key = Key(3, "not to be shown")
    assert "shown" not in repr(key)
    assert len(key.check_value) == 64 and "shown" not in key.check_value


def test_two_councils_number_people_alike_and_share_no_pseudonym(warehouse: Warehouse) -> None:
    for council in ("exampleshire", "county"):
        land_persons(warehouse, "2018-10-31", 1, 2, council=council)
    assert ingest(warehouse.settings, business_date=date(2018, 10, 31)).accepted == 2
    assert warehouse.rows("select count(distinct person_id), count(*) from history.mosaic__persons") == [(4, 4)]


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        pytest.param(ANOTHER_KEY, "is not the one under which people are known", id="another key"),
        pytest.param(None, "is missing", id="no key"),
    ],
)
def test_nothing_is_loaded_under_a_wrong_or_lost_key(warehouse: Warehouse, kept: str | None, says: str) -> None:
    land_persons(warehouse, "2018-10-30", 1)
    assert ingest(warehouse.settings, business_date=date(2018, 10, 30)).accepted == 1
    before = warehouse.rows("select * from history.mosaic__persons")
    keep_secrets(warehouse, pseudonym_key=kept)
    land_persons(warehouse, "2018-10-31", 1, 2)
    refused = warehouse.command("ingest", "--business-date", "2018-10-31")
    assert refused.returncode == 1
    assert says in refused.stderr and "CAREHOUSE_PSEUDONYM_KEY" in refused.stderr and "Traceback" not in refused.stderr
    assert ANOTHER_KEY not in refused.stderr
    assert warehouse.rows("select * from history.mosaic__persons") == before
    assert warehouse.rows("select count(*) from audit.batch") == [(1,)]
    # A key that is lost is not made anew.
    assert json.loads((warehouse.settings.home / "secrets.json").read_text()).get("pseudonym_key") == kept


def test_the_environment_s_key_is_held_to_the_check_too(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY", ANOTHER_KEY)
    land_persons(warehouse, "2018-10-30", 1)
    assert ingest(warehouse.settings, business_date=date(2018, 10, 30)).accepted == 1
    monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY", ANOTHER_KEY[::-1])
    with pytest.raises(CarehouseError, match="is not the one under which people are known"):
        ingest(warehouse.settings, business_date=date(2018, 10, 30))


def test_a_key_that_could_be_guessed_is_refused(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREHOUSE_PSEUDONYM_KEY", "swordfish")
    with pytest.raises(CarehouseError, match="fewer than 24 characters") as refused:
        ingest(warehouse.settings, business_date=date(2018, 10, 30))
    assert "swordfish" not in str(refused.value)
    assert warehouse.rows("select * from audit.pseudonym_key") == []


def test_what_was_loaded_before_keys_were_checked_is_of_the_key_or_nothing_is_loaded(warehouse: Warehouse) -> None:
    land_persons(warehouse, "2018-10-30", 1)
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    with warehouse.admin() as admin:
        admin.execute("delete from audit.pseudonym_key")
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    assert warehouse.rows("select key_version from audit.pseudonym_key") == [(1,)]
    with warehouse.admin() as admin:
        admin.execute("delete from audit.pseudonym_key")
        admin.execute("update history.mosaic__persons set person_id = md5(person_id)")
    with pytest.raises(CarehouseError, match="pseudonyms of another key"):
        ingest(warehouse.settings, business_date=date(2018, 10, 30))


def test_the_database_holds_no_key(warehouse: Warehouse) -> None:
    land_persons(warehouse, "2018-10-30", 1)
    ingest(warehouse.settings, business_date=date(2018, 10, 30))
    secret = warehouse.settings.secret("pseudonym_key")
    known = warehouse.rows("select to_jsonb(k)::text from audit.pseudonym_key as k")
    assert len(known) == 1 and secret not in known[0][0]
