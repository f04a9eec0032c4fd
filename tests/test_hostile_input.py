"""What a sender can get wrong, and an attacker right: how each is answered, word for word, and never with a value."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from carehouse.settings import PROJECT
from ingestion.conform import Conformer
from ingestion.contract import Contract
from ingestion.reader import open_extract
from ingestion.refusal import FileRefused
from tests import extracts
from tests.conftest import Warehouse
from tests.extracts import (
    BOOK,
    HEADER,
    SHEET,
    gzipped,
    rewritten,
    row,
    server,
    sheet_server,
    text,
    workbook,
    zipped,
)

PERSONAL = "Canary"
SENT_WRONG = row(7, surname=PERSONAL)


@dataclass(frozen=True)
class Refused:
    """A bad file: its bytes, how the contract says that it is written, the answer."""

    content: str | bytes
    reason: str
    says: str
    server: dict[str, Any] | None = None
    control_record: str | None = None
    name: str = "people_2018-10-31.csv"


def gz(content: str | bytes, reason: str, says: str, **settings: Any) -> Refused:
    """A bad gzip file."""
    path = "{council}/clinic/people_{date}.csv.gz"
    packed = content if isinstance(content, bytes) else gzipped(content)
    return Refused(packed, reason, says, server(path=path, settings=settings), name="people_2018-10-31.csv.gz")


def zipf(content: bytes, reason: str, says: str, **settings: Any) -> Refused:
    """A bad zip file."""
    path = "{council}/clinic/people_{date}.zip"
    return Refused(content, reason, says, server(path=path, settings=settings), name="people_2018-10-31.zip")


def xlsx(content: bytes, reason: str, says: str, sheet: str = "People", **settings: Any) -> Refused:
    """A bad workbook."""
    return Refused(content, reason, says, sheet_server(sheet, **settings), name="people_2018-10-31.xlsx")


def sheet_xml(change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose sheet was tampered with."""
    return rewritten(workbook(), SHEET, change)


def behind_the_rows(xml: bytes) -> bytes:
    """A workbook with more in its sheet than Excel wrote there."""
    return sheet_xml(lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>"))


def encrypted(packed: bytes) -> bytes:
    """The same zip file, its one member marked as encrypted."""
    marked = bytearray(packed)
    marked[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(marked)


CANNOT_BE_DIVIDED = (
    "the file cannot be divided into rows: in the row that begins on line {} a quote is opened and never closed, or "
    "the row is longer than 2 MB."
)
SWALLOWS = (
    "a quote in the row that begins on line {} is not closed there and swallows rows behind it. A quote inside a value "
    "must be written twice."
)
NOT_UTF8 = "the file is not utf-8 text throughout: "
CANNOT_BE_READ = "sheet 'People' cannot be read for certain: "
NO_RESULT = "row 2 holds a formula without its result: open the workbook in Excel, let it calculate, and save it."
ENTITIES = b'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

FILES: dict[str, Refused] = {
    # Structure
    "empty file": Refused("", "empty_file", "the file is empty; not even a header came."),
    "first line blank": Refused("\n" + text(), "empty_header", "the first line is blank; it must be the header."),
    "no header": Refused(
        f"{SENT_WRONG}\n{SENT_WRONG}\n",
        "missing_column",
        "none of the columns of contract clinic.people 1.0.0 is in the header; does the file begin with one? It must "
        f"hold {HEADER.replace(',', ', ')}.",
    ),
    "missing column": Refused(
        text().replace("NHS_ID,", "", 1),
        "missing_column",
        "the header lacks NHS_ID, which contract clinic.people 1.0.0 requires.",
    ),
    "duplicate header": Refused(text().replace("NHS_ID", "SURNAME"), "repeated_header", "the header repeats SURNAME."),
    "duplicate header that is a value": Refused(
        f"{HEADER},{PERSONAL},{PERSONAL}\n{SENT_WRONG},,\n",
        "repeated_header",
        "the header repeats a column that the contract does not know.",
    ),
    "two files joined": Refused(
        text() + text(), "repeated_header", "the header comes again on line 5: two files were joined."
    ),
    "10,000 columns": Refused(
        f"{HEADER},{','.join(f'C{number}' for number in range(9_992))}\n",
        "too_many_columns",
        "the header has 10,000 columns; no extract has more than 1,000.",
    ),
    "header of 3 MB": Refused("x" * 3_000_000 + "\n", "header_too_long", "the first line cannot be read as a header."),
    "unterminated quote": Refused(
        text(row(1), f'"{SENT_WRONG}', row(3)), "broken_structure", CANNOT_BE_DIVIDED.format(3)
    ),
    "unterminated quote in the last column": Refused(
        text(row(1), f'{SENT_WRONG}"{PERSONAL}', row(3), row(4)), "swallowed_rows", SWALLOWS.format(3)
    ),
    "unterminated quote at the very end": Refused(
        text(row(1), row(2), SENT_WRONG)[:-1] + f'"{PERSONAL}', "swallowed_rows", SWALLOWS.format(4)
    ),
    "unterminated quote in a long file": Refused(
        text(row(1), f'"{SENT_WRONG}', *(row(number) for number in range(60_000))),
        "broken_structure",
        CANNOT_BE_DIVIDED.format(3),
    ),
    "quote that swallows one row": Refused(
        text(row(1), row(2, surname=f'"{PERSONAL}'), row(3, surname=f'{PERSONAL}"'), row(4)),
        "swallowed_rows",
        SWALLOWS.format(3),
    ),
    "quote that swallows rows that end in CR": Refused(
        text(row(1), row(2, surname=f'"{PERSONAL}'), row(3, surname=f'{PERSONAL}"'), row(4)).replace("\n", "\r"),
        "swallowed_rows",
        SWALLOWS.format(3),
    ),
    "quote that swallows rows": Refused(
        text(
            row(1, surname='"Two\nlines"'), row(2, surname=f'"{PERSONAL}'), *map(row, range(50)), row(3, surname='X"')
        ),
        "swallowed_rows",
        SWALLOWS.format(4),
    ),
    "field of 1,001 lines": Refused(
        text(f'{SENT_WRONG}"{"x" + chr(10)}{("y" + chr(10)) * 1000}"'), "swallowed_rows", SWALLOWS.format(2)
    ),
    "line of 5 MB": Refused(
        text(row(1), SENT_WRONG + "x" * 5_000_000), "broken_structure", CANNOT_BE_DIVIDED.format(3)
    ),
    "rows of another width": Refused(
        text(*["1,2"] * 10_001), "broken_structure", "more than 10,000 rows have a wrong number of fields."
    ),
    "truncated last line": Refused(
        text()[:-9], "cut_short", "the last line, 4, has too few fields and no line end: the file is cut short."
    ),
    "last line without its end, where one is promised": Refused(
        text()[:-1],
        "cut_short",
        "the last line, 4, has no line end: the file may be cut short.",
        server(settings={"finalLineEnd": "required"}),
    ),
    "end never written": Refused(
        text() + "\0" * 4096, "cut_short", "the file ends in NUL bytes: it was never written to its end."
    ),
    "no trailer": Refused(
        text(),
        "control_total_missing",
        "the file does not end with its TRAILER record (row count, sum of weekly_cost_gbp), so it may be cut short.",
        control_record="last",
    ),
    "trailer that counts in words": Refused(
        text() + "TRAILER,3,NaN\n",
        "control_total_missing",
        "the file does not end with its TRAILER record (row count, sum of weekly_cost_gbp), so it may be cut short.",
        control_record="last",
    ),
    "no control record at the head": Refused(
        text(),
        "control_total_missing",
        "the file does not begin with its HEADER record (row count, sum of weekly_cost_gbp), so nobody can tell whether "
        "it is whole.",
        control_record="first",
    ),
    "nothing behind the head": Refused(
        "HEADER,0,0\n", "empty_file", "the file is empty; not even a header came.", control_record="first"
    ),
    # Dialect and encoding
    "another delimiter": Refused(
        text().replace(",", ";"),
        "wrong_dialect",
        "the header has one field; is the delimiter really ',', as contract clinic.people says?",
    ),
    "Excel's hint line": Refused(
        "sep=,\n" + text(),
        "wrong_dialect",
        "the first line is a hint for Excel (sep=), not the header; leave it out.",
    ),
    "another quote": Refused(
        text().replace(HEADER, ",".join(f"'{header}'" for header in HEADER.split(","))),
        "wrong_dialect",
        "the header's fields are quoted, but contract clinic.people says the quote is '\"'.",
    ),
    "invalid UTF-8": Refused(
        text(row(1, surname='"A\nB"'), row(2, surname="\xff")).encode("latin-1"),
        "encoding",
        f"{NOT_UTF8}line 4 is not.",
    ),
    "invalid UTF-8 in a row of another width": Refused(
        text(row(1), "2,\xff", row(3)).encode("latin-1"), "encoding", f"{NOT_UTF8}line 3 is not."
    ),
    "NUL in the header": Refused(
        text().replace("NOTE", "NOTE,EXTRA\0", 1), "encoding", "the header holds NUL bytes, as no text does."
    ),
    "UTF-8 cut in a letter": Refused(text(row(1), row(2) + "é").encode()[:-2], "encoding", f"{NOT_UTF8}line 3 is not."),
    "invalid UTF-8 in the header": Refused(
        text().replace("NOTE", "NO\xe9").encode("latin-1"), "encoding", f"{NOT_UTF8}line 1 is not."
    ),
    "UTF-16 for UTF-8": Refused(text().encode("utf-16"), "encoding", f"{NOT_UTF8}it begins with the mark of utf-16."),
    "UTF-16 without a mark for UTF-8": Refused(
        text().encode("utf-16-le"),
        "encoding",
        f"{NOT_UTF8}it begins with NUL bytes, as utf-16 text without a mark does.",
    ),
    "UTF-16 without a mark": Refused(
        text().encode("utf-16-le"),
        "encoding",
        "the file is not utf-16 text throughout: it lacks the byte order mark that says which byte comes first.",
        server(encoding="utf-16"),
    ),
    "UTF-16 cut in a letter": Refused(
        text().encode("utf-16")[:-1],
        "encoding",
        "the file is not utf-16 text throughout: line 4 holds bytes that are none.",
        server(encoding="utf-16"),
    ),
    "UTF-8 for Windows-1252": Refused(
        text(row(1, surname="Zoë")),
        "encoding",
        "the file is not windows-1252 text throughout: every letter beyond ASCII in it is written as utf-8 writes it.",
        server(encoding="windows-1252"),
    ),
    "UTF-8 with its mark for Windows-1252": Refused(
        text().encode("utf-8-sig"),
        "encoding",
        "the file is not windows-1252 text throughout: it begins with the mark of utf-8.",
        server(encoding="windows-1252"),
    ),
    "byte that Windows-1252 lacks": Refused(
        text(row(1), row(2, surname="\x81")).encode("latin-1"),
        "encoding",
        "the file is not windows-1252 text throughout: line 3 holds bytes that are none.",
        server(encoding="windows-1252"),
    ),
    "stand-in for a wide delimiter": Refused(
        text(row(1, surname="A\x1fB")).replace(",", "¬"),
        "control_characters",
        "the file holds the character U+001F.",
        server(delimiter="¬"),
    ),
    "web page": Refused(
        "<!DOCTYPE html><html>Log in</html>", "wrong_format", "the file is a web page or XML, not delimited text."
    ),
    "PDF": Refused(
        b"%PDF-1.7 ...",
        "wrong_format",
        "the file is a PDF document; the contract expects plain delimited text under this name.",
    ),
    "workbook named .csv": Refused(
        workbook(),
        "wrong_format",
        "the file is a zip file or workbook; the contract expects plain delimited text under this name.",
    ),
    # Packed
    "text named .gz": gz(text().encode(), "wrong_format", "the file is named as a gzip file, but is none."),
    "empty .gz": gz(b"", "empty_file", "the file is empty; not even a header came."),
    "gzip cut short": gz(gzipped(text())[:-6], "damaged_archive", "the gzip file is cut short; please send it again."),
    "gzip damaged": gz(
        gzipped(text())[:-8] + bytes(8), "damaged_archive", "the gzip file is damaged; please send it again."
    ),
    "gzip in gzip": gz(gzipped(gzipped(text())), "wrong_format", "inside is another packed file, not a text."),
    "gzip bomb by size": gz(
        text() + "\n" * 3_000_000,
        "expands_too_far",
        "the file expands to more than 2 MB, the limit its contract sets (expandedLimitMegabytes).",
        expandedLimitMegabytes=2,
    ),
    "gzip bomb by ratio": gz(
        text() + "\n" * 70_000_000,
        "expands_too_far",
        "the file expands to more than 200 times its size, the limit its contract sets (expansionLimitRatio).",
    ),
    "zip of two files": zipf(
        zipped(("a.csv", text()), ("b.csv", text())),
        "not_one_file",
        "the zip file holds 2 entries; it must hold one file.",
    ),
    "zip of none": zipf(zipped(), "not_one_file", "the zip file holds 0 entries; it must hold one file."),
    "zip with a path": zipf(
        zipped(("../../etc/people.csv", text())), "not_one_file", "the file inside the zip file lies in a folder."
    ),
    "zip in zip": zipf(
        zipped(("people.csv", zipped(("people.csv", text())))),
        "wrong_format",
        "inside is another packed file, not a text.",
    ),
    "zip that is a workbook": zipf(
        workbook(), "wrong_format", "the file is a workbook, not a zip file with a text in it."
    ),
    "zip cut short": zipf(
        zipped(("people.csv", text()))[:-10],
        "damaged_archive",
        "the zip file is damaged or cut short; please send it again.",
    ),
    "zip encrypted": zipf(
        encrypted(zipped(("people.csv", text()))),
        "encrypted",
        "the file is protected by a password and cannot be read.",
    ),
    "zip packed by another method": zipf(
        zipped(("people.csv", text()), method=zipfile.ZIP_LZMA),
        "wrong_format",
        "the zip file is packed by another method than deflate.",
    ),
    "zip bomb": zipf(
        zipped(("people.csv", text() + "\n" * 70_000_000)),
        "expands_too_far",
        "the file expands to more than 200 times its size, the limit its contract sets (expansionLimitRatio).",
    ),
    # Workbooks
    "text named .xlsx": xlsx(text().encode(), "wrong_format", "the file is named as a workbook (.xlsx), but is none."),
    "zip named .xlsx": xlsx(
        zipped(("people.csv", text())), "wrong_format", "the file is a zip file, but not a workbook."
    ),
    "old .xls": xlsx(
        b"\xd0\xcf\x11\xe0" + bytes(600), "wrong_format", "the workbook is of the old .xls kind; save it as .xlsx."
    ),
    "workbook with a password": xlsx(
        b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        "encrypted",
        "the workbook is protected by a password.",
    ),
    "missing sheet": xlsx(
        workbook(sheet=PERSONAL), "missing_sheet", "the workbook has no sheet 'People'; it has 1 others."
    ),
    "sheet in other capitals": xlsx(
        workbook(sheet="PEOPLE"),
        "missing_sheet",
        "the workbook has no sheet 'People'; one is named so but for capitals or spaces.",
    ),
    "sheet name that is a path": xlsx(
        workbook(),
        "missing_sheet",
        "the workbook has no sheet '../../../../etc/passwd'; it has 1 others.",
        sheet="../../../../etc/passwd",
    ),
    "sheet that lies outside": xlsx(
        rewritten(
            workbook(), "xl/_rels/workbook.xml.rels", lambda x: x.replace(b"worksheets/sheet1", b"../../../etc/passwd")
        ),
        "broken_workbook",
        f"{CANNOT_BE_READ}it is no sheet of cells.",
    ),
    "header elsewhere": xlsx(
        workbook(),
        "empty_header",
        "row 7 of sheet 'People' is blank; the contract says that the header is there (headerRow).",
        headerRow=7,
    ),
    "entities in the sheet": xlsx(
        sheet_xml(lambda sheet: sheet.replace(b"<worksheet", ENTITIES + b"<worksheet", 1)),
        "broken_workbook",
        f"{CANNOT_BE_READ}its XML declares a document type, which no workbook does.",
    ),
    "entities in the shared texts": xlsx(
        rewritten(workbook(), "xl/sharedStrings.xml", lambda x: x.replace(b"<sst", ENTITIES + b"<sst", 1)),
        "broken_workbook",
        f"{CANNOT_BE_READ}its XML declares a document type, which no workbook does.",
    ),
    "row beyond the grid": xlsx(
        behind_the_rows(b'<row r="99999999999"><c><v>1</v></c></row>'),
        "broken_workbook",
        f"{CANNOT_BE_READ}behind row 4 comes one that is out of order or out of bounds.",
    ),
    "row twice": xlsx(
        behind_the_rows(b'<row r="2"><c r="A2"><v>1</v></c></row>'),
        "broken_workbook",
        f"{CANNOT_BE_READ}behind row 4 comes one that is out of order or out of bounds.",
    ),
    "a million empty cells in a row": xlsx(
        behind_the_rows(b'<row r="5">' + b"<c/>" * 1_000_000 + b"</row>"),
        "broken_workbook",
        f"{CANNOT_BE_READ}row 5 has more columns than a sheet can have.",
    ),
    "cell of another row": xlsx(
        behind_the_rows(b'<row r="5"><c r="A6"><v>1</v></c></row>'),
        "broken_workbook",
        f"{CANNOT_BE_READ}in row 5 the cells are out of order.",
    ),
    "text that is not there": xlsx(
        behind_the_rows(b'<row r="5"><c r="A5" t="s"><v>99</v></c></row>'),
        "broken_workbook",
        f"{CANNOT_BE_READ}a cell refers to a text that is not there.",
    ),
    "cell of 3 MB": xlsx(
        behind_the_rows(b'<row r="5"><c r="A5" t="str"><v>' + b"x" * 3_000_000 + b"</v></c></row>"),
        "broken_workbook",
        f"{CANNOT_BE_READ}row 5 is longer than 2 MB.",
    ),
    "tag of 8 MB": xlsx(
        behind_the_rows(b'<row r="5" spans="' + b"x" * 8_000_000 + b'"/>'),
        "broken_workbook",
        f"{CANNOT_BE_READ}its XML is damaged.",
    ),
    "text longer than a cell": xlsx(
        rewritten(workbook(), "xl/sharedStrings.xml", lambda x: x.replace(b"NOTE", b"NOTE" * 10_000)),
        "broken_workbook",
        f"{CANNOT_BE_READ}it holds a text longer than a cell can be.",
    ),
    "values all over the sheet": xlsx(
        workbook(lambda page: [page.write_number(number, 9, 1) for number in range(1, 10_002)]),
        "broken_structure",
        "more than 10,000 rows have values outside the header's columns.",
    ),
    "sheet cut short": xlsx(
        sheet_xml(lambda sheet: sheet[:-40]), "broken_workbook", f"{CANNOT_BE_READ}its XML is damaged."
    ),
    "formula never calculated": xlsx(
        rewritten(
            rewritten(
                workbook(lambda page: page.write_formula(1, 4, "=7/8", None, 0.875)),
                SHEET,
                lambda x: x.replace(b"<v>0.875</v>", b""),
            ),
            BOOK,
            lambda x: x.replace(b' fullCalcOnLoad="1"', b""),
        ),
        "broken_workbook",
        CANNOT_BE_READ + NO_RESULT,
    ),
    "formula whose result is old": xlsx(
        workbook(lambda page: page.write_formula(1, 4, "=1+1", None, 0)), "broken_workbook", CANNOT_BE_READ + NO_RESULT
    ),
    "merged cells": xlsx(
        workbook(lambda page: page.merge_range(1, 2, 2, 2, PERSONAL)),
        "merged_cells",
        "sheet 'People' has merged cells in row 2; only one of them has a value. Unmerge them and fill in each.",
    ),
    "workbook bomb": xlsx(
        behind_the_rows(b"<row/>" * 400_000),
        "expands_too_far",
        "the file expands to more than 2 MB, the limit its contract sets (expandedLimitMegabytes).",
        expandedLimitMegabytes=2,
    ),
}


def read(path: Path, contract: Contract) -> pl.DataFrame:
    """Read a whole extract."""
    return pl.concat(open_extract(path, contract).blocks())


@pytest.mark.parametrize("fault", FILES)
def test_a_bad_file_is_refused_with_what_to_do(fault: str, tmp_path: Path) -> None:
    bad = FILES[fault]
    contract = extracts.contract(tmp_path, bad.server or server(), control_record=bad.control_record)
    path = tmp_path / bad.name
    path.write_bytes(bad.content.encode() if isinstance(bad.content, str) else bad.content)
    with pytest.raises(FileRefused) as refused:
        read(path, contract)
    assert str(refused.value) == f"{bad.name}: {bad.says}"
    assert refused.value.reason_code == bad.reason
    assert PERSONAL not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


READERS = ("cells", "containers", "delimited", "extract", "reader", "sheet", "swallowed", "text", "workbook")


def test_every_refusal_of_the_readers_is_shown_and_explained() -> None:
    sources = [(PROJECT / "ingestion" / f"{module}.py").read_text() for module in READERS]
    given = {code for source in sources for code in re.findall(r'FileRefused\(\s*"(\w+)"', source)}
    assert len(given) > 15
    assert {bad.reason for bad in FILES.values()} == given
    page = (PROJECT / "docs" / "reference" / "files.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == given


DATE = ("BORN", "not_a_date", "must be a real date written dd/mm/yyyy")
NHS = ("NHS_ID", "wrong_shape", r"must be of the shape ^\d{10}$")
MONEY = (
    "WEEKLY_COST",
    "not_a_number",
    "must be a plain number with at most 2 decimal places, without £, thousands separators or brackets",
)
ID = ("PERSON_ID", "not_a_whole_number", "must be a whole number, digits alone")

VALUES: dict[str, tuple[str, tuple[str, str, str] | None]] = {
    "31 February": (row(1, rest="31/02/1950,,,,"), DATE),
    "Excel's day zero": (row(1, rest="1900-01-00,,,,"), DATE),
    "Excel's serial number": (row(1, rest="43404,,,,"), DATE),
    "American date": (row(1, rest="12/31/1950,,,,"), DATE),
    "two-digit year": (row(1, rest="01/02/50,,,,"), DATE),
    "error for a date": (row(1, rest="#REF!,,,,"), DATE),
    "error for an amount": (row(1, rest=",#REF!,,,"), MONEY),
    "error for a code": (row(1, rest=",,#N/A,,"), ("GENDER", "unknown_code", "must be one of: F, M")),
    "exponent for an NHS number": (row(1, nhs="1.23E+05"), NHS),
    "lost leading zero": (row(1, nhs="999000001"), NHS),
    "error for an NHS number": (row(1, nhs="#REF!"), NHS),
    "pound sign": (row(1, rest=",£10.50,,,"), MONEY),
    "thousands separator": (row(1, rest=',"1,234.50",,,'), MONEY),
    "negative in brackets": (row(1, rest=",(10.50),,,"), MONEY),
    "exponent for an amount": (row(1, rest=",1E3,,,"), MONEY),
    "not a number": (row(1, rest=",NaN,,,"), MONEY),
    "id with a point": ("1.0,,Example,,,,,", ID),
    "digits of another script": ("\N{ARABIC-INDIC DIGIT ONE},,Example,,,,,", ID),
    "error for a name": (
        row(1, surname="#N/A"),
        ("SURNAME", "spreadsheet_error", "must not be the error of a formula"),
    ),
    "NUL": (row(1, surname="A\0B"), ("SURNAME", "control_characters", "must not hold a NUL")),
    "blank where a value must be": (row(1, surname="  "), ("SURNAME", "missing", "must not be blank")),
    "name that is SQL": (row(1, surname="Robert'); drop table history.clinic__people; --"), None),
    "name that is a path": (row(1, surname="../../etc/passwd"), None),
    "name that is a formula": (row(1, surname="=cmd|' /C calc'!A0"), None),
    "line of just \\.": (row(1, surname='"Ann\n\\.\n"'), None),
    "line ends and quotes in a note": (row(1, rest='01/02/1950,,F,,"She said ""yes, and no"",\nthen left."'), None),
}


@pytest.mark.parametrize("fault", VALUES)
def test_a_bad_value_rejects_its_row_and_no_other(fault: str, tmp_path: Path) -> None:
    line, says = VALUES[fault]
    contract = extracts.contract(tmp_path)
    path = tmp_path / "people_2018-10-31.csv"
    path.write_text(text(row(8), line, row(9)), encoding="utf-8")
    conformed = Conformer(contract, lambda references: references).conform(read(path, contract))
    found = conformed.rejects.select("source_line", "column_name", "reason_code", "rule").rows()
    assert [reject[0] for reject in found] == ([3] if says else [])
    if says:
        column, reason, words = says
        assert found[0][1:3] == (column, reason)
        assert words.removeprefix("must be of the shape") in found[0][3]
    assert conformed.rows["person_ref"].to_list() == ([8, 9] if says else [8, 1, 9])


def test_what_looks_like_an_attack_is_kept_as_it_is(tmp_path: Path) -> None:
    kept = [name for name in VALUES if VALUES[name][1] is None and "name" in name]
    assert len(kept) == 3
    contract = extracts.contract(tmp_path)
    path = tmp_path / "people_2018-10-31.csv"
    path.write_text(text(*(VALUES[name][0] for name in kept)), encoding="utf-8")
    assert read(path, contract)["SURNAME"].to_list() == [VALUES[name][0].split(",")[2] for name in kept]


# Each takes a hundred megabytes or more to hold: a field, a line, what an archive or a workbook expands to.
HUGE = """
import gzip, io, sys, zipfile
from pathlib import Path
from ingestion.refusal import FileRefused
from tests import extracts
from tests.extracts import HEADER, row, server, sheet_server, text, workbook, rewritten, gzipped, SHEET
from tests.test_hostile_input import read

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

folder = Path(sys.argv[1])
big = folder / "big.csv"
with big.open("w") as file:
    file.write(text(row(1), row(2, surname="Canary")[:-1]))
    for _ in range(100):
        file.write("x" * 1_000_000)
many = folder / "many.csv"
with many.open("w") as file:
    file.write(HEADER + "".join(f",C{number}" for number in range(992)) + "\\n")
    for number in range(30_000):
        file.write(row(number) + "," * 992 + "\\n")
bomb = folder / "bomb.gz"
with gzip.open(bomb, "wb") as file:
    file.write(text().encode())
    for _ in range(300):
        file.write(b"\\n" * 1_000_000)
sheet = folder / "bomb.xlsx"
sheet.write_bytes(rewritten(workbook(), SHEET, lambda x: x.replace(
    b"</sheetData>", b'<row r="9">' + b"<c/>" * 10_000_000 + b"</row></sheetData>")))
"""
HUGE_READ = """
from pathlib import Path
import sys
from ingestion.refusal import FileRefused
from ingestion.reader import open_extract
from tests import extracts
from tests.extracts import server, sheet_server, text

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

folder = Path(sys.argv[1])
small = folder / "small.csv"
small.write_text(text())
for name, said in (
    ("small.csv", server()),
    ("big.csv", server()),
    ("many.csv", server()),
    ("bomb.gz", server(path="{council}/clinic/bomb.gz")),
    ("bomb.xlsx", sheet_server()),
):
    try:
        for block in open_extract(folder / name, extracts.contract(folder, said)).blocks():
            del block
        became = "read"
    except FileRefused as refusal:
        became = refusal.reason_code
    print(name, became, peak_mb())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_bounded_whatever_comes(tmp_path: Path) -> None:
    for program in (HUGE, HUGE_READ):
        ran = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    became = {name: (what, float(peak)) for name, what, peak in (line.split() for line in ran.stdout.splitlines())}
    assert {name: what for name, (what, _) in became.items()} == {
        "small.csv": "read",
        "big.csv": "broken_structure",
        "many.csv": "read",
        "bomb.gz": "expands_too_far",
        "bomb.xlsx": "broken_workbook",
    }
    at_rest = became["small.csv"][1]
    assert max(peak for _, peak in became.values()) < at_rest + 330


def test_through_the_front_door_each_bad_file_is_refused_and_the_good_one_loads(warehouse: Warehouse) -> None:
    header = "PROGRAMME_REF,PROGRAMME_NAME,LEVEL,PARENT_PROGRAMME_REF,REPORT_ORDER\n"
    good = f"{header}P,Portfolio,portfolio,,1\n"
    bad = {
        "27": (good + f'P1,"{PERSONAL},programme,P,2\nP2,Two",programme,P,3\n', "swallowed_rows", "line 3"),
        "28": (good.encode("utf-16"), "encoding", "the mark of utf-16"),
        "29": (good.replace(",", "\t"), "wrong_dialect", "is the delimiter really ','"),
        "30": (f"{good}P1,{PERSONAL}", "cut_short", "the last line, 3,"),
    }
    for day, (content, _, _) in bad.items():
        warehouse.land(f"county/programme/programmes_2018-10-{day}.csv", content)
    warehouse.land("county/programme/programmes_2018-10-31.csv", good)
    ran = warehouse.command("ingest", "--business-date", "2018-10-31")
    assert ran.returncode == 3
    said = ran.stdout + ran.stderr
    assert PERSONAL not in said
    refused = warehouse.rows("select reason_code, message from audit.batch where state = 'refused' order by file_name")
    assert [reason for reason, _ in refused] == [reason for _, reason, _ in bad.values()]
    for (_, message), (_, _, words) in zip(refused, bad.values(), strict=True):
        assert words in message and PERSONAL not in message
    assert warehouse.rows("select count(*) from history.programme__programmes") == [(1,)]
