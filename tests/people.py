"""A person planted in every kind of table, with one merged into theirs and one who shares a step with them."""

import csv
import io
from pathlib import Path

from ingestion.contract import Column, load_contracts
from tests.conftest import Warehouse

COUNCIL = "exampleshire"
PLANTED, TWIN, OTHER = "770012345", "770012346", "770055555"
NHS_NUMBER, FORENAME, SURNAME = "9990001238", "Quillona", "Erasmusson"
ELEMENT, ELEMENT_OF_OTHER = "880012345", "880055555"
STEP, SHARED_STEP = "660012345", "660055555"
FORM = "550012345"
NEEDLES = (PLANTED, TWIN, NHS_NUMBER, SURNAME, ELEMENT, STEP, FORM)
CONTRACTS = {contract.name: contract for contract in load_contracts()}
DAY = "2018-10-31"


def extract(table: str, *rows: dict[str, str]) -> str:
    """Write an extract of a contract: each row's columns by name, the shortest good value where one is required."""
    contract = CONTRACTS[table]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(column.header for column in contract.columns)
    for number, row in enumerate(rows, 1):
        assert set(row) <= {column.name for column in contract.columns}
        writer.writerow(row.get(column.name, _least(column, number)) for column in contract.columns)
    if contract.control_total:
        total = sum(float(row.get(contract.control_total.column, 1)) for row in rows)
        written.write(f"{contract.control_total.marker},{len(rows)},{total:.2f}\n")
    return written.getvalue()


def _least(column: Column, number: int) -> str:
    if not (column.required or column.key_position):
        return ""
    if column.codes:
        return column.codes[0]
    if column.name == "financial_year":
        return "2018/19"
    day = {"%d/%m/%Y": "01/10/2018", "%Y-%m-%d": "2018-10-01"}[column.date_format]
    return {"date": day, "boolean": "Y", "number": "1"}.get(column.kind, str(number))


def land(warehouse: Warehouse, day: str = DAY) -> None:
    """Land the extracts of a day, people and all."""
    for name, text in texts().items():
        source, table = name.split(".")
        warehouse.land(f"{COUNCIL}/{source}/{table}_{day}.csv", text)


def texts() -> dict[str, str]:
    """Give each table's extract."""
    someone = [{"person_ref": str(number), "forename": "Ann", "surname": "Example"} for number in range(1, 300)]
    planted = {"nhs_number": NHS_NUMBER, "forename": FORENAME, "surname": SURNAME}
    return {
        "mosaic.persons": extract(
            "mosaic.persons",
            *someone,
            {"person_ref": PLANTED, **planted},
            {"person_ref": TWIN, **planted},
            {"person_ref": OTHER, "surname": "Other"},
            # Rejected, and kept in quarantine as it was sent.
            {"person_ref": PLANTED, "birth_date": "31/02/1950", **planted},
        ),
        "mosaic.person_merges": extract(
            "mosaic.person_merges", {"merged_person_ref": TWIN, "master_person_ref": PLANTED}
        ),
        "mosaic.service_elements": extract(
            "mosaic.service_elements",
            {"element_ref": ELEMENT, "person_ref": TWIN, "step_ref": STEP},
            {"element_ref": ELEMENT_OF_OTHER, "person_ref": OTHER},
        ),
        "finance.provider_payments": extract(
            "finance.provider_payments",
            {"payment_ref": "P1", "element_ref": ELEMENT, "actual_gbp": "70.00"},
            {"payment_ref": "P2", "element_ref": ELEMENT_OF_OTHER, "actual_gbp": "30.00"},
        ),
        "finance.income": extract(
            "finance.income",
            {"income_ref": "I1", "person_ref": PLANTED, "element_ref": ELEMENT},
            {"income_ref": "I2", "person_ref": OTHER},
        ),
        "mosaic.subgroups": extract("mosaic.subgroups", {"subgroup_ref": "1"}, {"subgroup_ref": "2"}),
        "mosaic.subgroup_subjects": extract(
            "mosaic.subgroup_subjects",
            {"subgroup_ref": "1", "person_ref": PLANTED},
            {"subgroup_ref": "2", "person_ref": PLANTED},
            {"subgroup_ref": "2", "person_ref": OTHER},
        ),
        "mosaic.workflow_steps": extract(
            "mosaic.workflow_steps",
            {"step_ref": STEP, "subgroup_ref": "1"},
            {"step_ref": SHARED_STEP, "subgroup_ref": "2"},
        ),
        "mosaic.form_answers": extract(
            "mosaic.form_answers",
            {"operation_code": "insert", "form_ref": FORM, "step_ref": STEP},
            {"operation_code": "insert", "form_ref": "550055555", "step_ref": SHARED_STEP},
        ),
        "ledger.lines": extract(
            "ledger.lines",
            {"amount_gbp": "12.00", "description": f"Refund to {FORENAME} {SURNAME}"},
            {"amount_gbp": "8.00", "description": "Refund"},
        ),
    }


def found_anywhere(warehouse: Warehouse, needles: tuple[str, ...]) -> list[str]:
    """Search every table of the database as text, and every file of the home, for words that must not be there."""
    found = []
    relations = warehouse.rows(
        "select format('%I.%I', nspname, relname) from pg_class as c inner join pg_namespace as n "
        "on c.relnamespace = n.oid where relkind in ('r', 'm') and nspname !~ '^pg_' and nspname <> 'information_schema'"
    )
    assert len(relations) > 50
    with warehouse.admin() as admin:
        for (relation,) in relations:
            hits = admin.execute(
                f"select needle from unnest(%s::text[]) as needle "
                f"where exists (select from {relation} as held where strpos(held::text, needle) > 0)",  # type: ignore[arg-type]
                [list(needles)],
            )
            found += [f"{relation}: {needle}" for (needle,) in hits.fetchall()]
    for file in warehouse.settings.home.rglob("*"):
        # What still waits in the landing folder is dropped when it is loaded.
        if file.is_file() and warehouse.settings.landing not in file.parents:
            found += [f"{_kind(file)}: {needle}" for needle in needles if needle.encode() in file.read_bytes()]
    return found


def _kind(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"
