"""Quarantine keeps what was sent no longer than it takes to put it right."""

from datetime import date

from ingestion.landing import ingest
from ingestion.quarantine import purge
from tests.conftest import Warehouse


def test_what_has_been_in_quarantine_for_long_is_deleted_and_counted_still(warehouse: Warehouse) -> None:
    header = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
    good = "".join(f"{number},,Ann,Example,01/02/1950,,F,\n" for number in range(1, 201))
    warehouse.land("exampleshire/mosaic/persons_2018-10-31.csv", f"{header}{good}900,,Ann,Example,31/02/1950,,F,\n")
    assert ingest(warehouse.settings, business_date=date(2018, 10, 31)).accepted == 1
    assert purge(warehouse.settings, keep_days=1) == 0
    assert warehouse.rows("select count(*) from quarantine.rejected_row") == [(1,)]
    with warehouse.admin() as admin:
        admin.execute("update audit.batch set finished_at = now() - interval '2 days'")
    assert purge(warehouse.settings, keep_days=1) == 1
    assert warehouse.rows("select count(*) from quarantine.rejected_row") == [(0,)]
    assert warehouse.rows("select rows_rejected from audit.batch") == [(1,)]
