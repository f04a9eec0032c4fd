"""A small invented table, the contract it arrives under, and files of it in every way a file is written."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

from ingestion.contract import Contract, load_contract

HEADER = "PERSON_ID,NHS_ID,SURNAME,BORN,WEEKLY_COST,GENDER,SEEN_AT,NOTE"
CONTROL_RECORDS = {
    "last": {"recordMarker": "TRAILER", "column": "weekly_cost_gbp"},
    "first": {"recordMarker": "HEADER", "column": "weekly_cost_gbp", "record": "first"},
}


def column(name: str, header: str, kind: str, sql_type: str, **more: Any) -> dict[str, Any]:
    """One column of the contract."""
    return {
        "name": name,
        "physicalName": header,
        "logicalType": kind,
        "physicalType": sql_type,
        "classification": "personal",
        "description": "Invented.",
        **more,
    }


def server(**more: Any) -> dict[str, Any]:
    """One way of delivery: by default a comma-separated UTF-8 file; `settings` are its customProperties."""
    settings = more.pop("settings", {})
    said = {
        "server": "landing",
        "type": "custom",
        "path": "{council}/clinic/people_{date}.csv",
        "format": "csv",
        "delimiter": ",",
        "encoding": "utf-8",
        **more,
    }
    given = [{"property": each, "value": value} for each, value in settings.items()]
    return {key: value for key, value in said.items() if value is not None} | {"customProperties": given}


def sheet_server(sheet: str = "People", **settings: Any) -> dict[str, Any]:
    """Delivery as a sheet of a workbook."""
    return server(
        server="workbook",
        path="{council}/clinic/people_{date}.xlsx",
        format="xlsx",
        delimiter=None,
        encoding=None,
        settings={"sheet": sheet, **settings},
    )


def contract(folder: Path, *servers: dict[str, Any], control_record: str | None = None) -> Contract:
    """The table's contract, read back from a file as every contract is."""
    promised = [{"property": "controlTotal", "value": CONTROL_RECORDS[control_record]}] if control_record else []
    said = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "clinic.people",
        "name": "People",
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "An invented table."},
        "servers": list(servers) or [server()],
        "schema": [
            {
                "name": "people",
                "physicalName": "clinic__people",
                "logicalType": "object",
                "dataGranularityDescription": "One row is one person.",
                "description": "Invented people.",
                "properties": [
                    column(
                        "person_ref",
                        "PERSON_ID",
                        "integer",
                        "bigint",
                        required=True,
                        primaryKey=True,
                        primaryKeyPosition=1,
                    ),
                    column("nhs_number", "NHS_ID", "string", "text", logicalTypeOptions={"pattern": r"^\d{10}$"}),
                    column("surname", "SURNAME", "string", "text", required=True),
                    column("birth_date", "BORN", "date", "date", logicalTypeOptions={"format": "dd/MM/yyyy"}),
                    column("weekly_cost_gbp", "WEEKLY_COST", "number", "numeric(10,2)"),
                    column("gender_code", "GENDER", "string", "text", enum=[{"value": "F"}, {"value": "M"}]),
                    column("seen_at", "SEEN_AT", "timestamp", "timestamp", logicalTypeOptions={"format": "dd/MM/yyyy"}),
                    column("note", "NOTE", "string", "text"),
                ],
            }
        ],
        "team": {"name": "The clinic"},
        "support": [{"channel": "email", "url": "mailto:clinic@example.org"}],
        "slaProperties": [{"property": "latency", "value": 3, "unit": "d"}],
        "customProperties": [{"property": "delivery", "value": "full_snapshot"}, *promised],
    }
    file = folder / "clinic" / "people.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    return load_contract(file)


def row(person: int, *, nhs: str = "", surname: str = "Example", rest: str = "01/02/1950,10.50,F,,") -> str:
    """One good line of the table, without its line end."""
    return f"{person},{nhs},{surname},{rest}"


def text(*rows: str) -> str:
    """A file of these rows, or of three good ones."""
    return "\n".join([HEADER, *(rows or map(row, (1, 2, 3)))]) + "\n"


def gzipped(content: str | bytes) -> bytes:
    """Pack as gzip."""
    return gzip.compress(content.encode() if isinstance(content, str) else content)


def zipped(*members: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack as zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def workbook(fill: Callable[[Any], None] | None = None, *, sheet: str = "People", since_1904: bool = False) -> bytes:
    """A workbook; `fill` writes below the header of its sheet, by default three good rows."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "date_1904": since_1904})
    page = book.add_worksheet(sheet)
    page.book = book
    page.write_row(0, 0, HEADER.split(","))
    if fill:
        fill(page)
    else:
        for number in (1, 2, 3):
            page.write_row(number, 0, [number, "", "Example", "01/02/1950", 10.5, "F"])
    book.close()
    return written.getvalue()


def rewritten(packed: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert change(parts[part]) != parts[part]
    parts[part] = change(parts[part])
    return zipped(*parts.items())


SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
