"""Every declared way of writing a file gives the same rows; compared with the standard library's own reader."""

import codecs
import csv
import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from ingestion import delimited
from ingestion import text as text_module
from ingestion.cells import is_date_format, number_text
from ingestion.conform import Conformer
from ingestion.contract import ContractError, load_contracts
from ingestion.reader import LINE, Extract, open_extract
from ingestion.refusal import FileRefused
from tests import extracts
from tests.extracts import BOOK, HEADER, SHEET, gzipped, rewritten, row, server, sheet_server, text, workbook, zipped

EXAMPLES = Path(__file__).parent.parent / "examples" / "landing" / "county" / "programme"
HEADERS = HEADER.split(",")
ROWS = [
    [
        "1",
        "9990000018",
        "Zoë O'Brien",
        "01/02/1950",
        "10.50",
        "F",
        "03/04/2018 09:30:00",
        "Says: 5 ½ days; well | good",
    ],
    ["2", "", 'Ann "Annie" Example, Mrs', "", "", "", "", "First line\nsecond, line\n\nlast"],
    ["3", "", "  spaced  ", "29/02/2000", "-0.01", "M", "", ""],
]
LINES = [2, 3, 7]


def written(delimiter: str = ",", quote: str | None = '"', line_end: str = "\n") -> str:
    """The three rows as the standard library writes them."""
    into = io.StringIO(newline="")
    plain = [[field.replace("\n", " ").replace(delimiter, " ") for field in each] for each in ROWS]
    quoting = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    writer = csv.writer(into, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator=line_end)
    writer.writerows([HEADERS, *(plain if quote is None else ROWS)])
    return into.getvalue()


def read_all(extract: Extract) -> pl.DataFrame:
    """Read an extract to its end."""
    return pl.concat(list(extract.blocks()) or [pl.DataFrame(schema=[*HEADERS, LINE])])


def opened(folder: Path, content: bytes, name: str = "people_2018-10-31.csv", **said: Any) -> Extract:
    """Open one file under a contract that declares it."""
    path = folder / name
    path.write_bytes(content)
    record = said.pop("control_record", None)
    declared = said.pop("server", None) or server(**said)
    return open_extract(path, extracts.contract(folder, declared, control_record=record))


PLAIN = written().encode()
CSV_PATH = "{council}/clinic/people_{date}.csv"
DIALECTS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "UTF-8": (PLAIN, {}),
    "UTF-8 with its mark": (codecs.BOM_UTF8 + PLAIN, {}),
    "CRLF": (written(line_end="\r\n").replace("\n\r", "\r").encode(), {}),
    "CR": (written(line_end="\r").encode(), {}),
    "Windows-1252": (written().encode("cp1252"), {"encoding": "windows-1252"}),
    "UTF-16": (written().encode("utf-16"), {"encoding": "utf-16"}),
    "UTF-16, high byte first": (codecs.BOM_UTF16_BE + written().encode("utf-16-be"), {"encoding": "utf-16"}),
    "UTF-16 LE without a mark": (written().encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "UTF-16 BE": (written().encode("utf-16-be"), {"encoding": "utf-16-be"}),
    "tab": (written("\t").encode(), {"delimiter": "\t"}),
    "pipe": (written("|").encode(), {"delimiter": "|"}),
    "semicolon": (written(";").encode(), {"delimiter": ";"}),
    "unit separator": (written("\x1f").encode(), {"delimiter": "\x1f"}),
    "not sign": (written("¬").encode(), {"delimiter": "¬"}),
    "not sign in Windows-1252": (written("¬").encode("cp1252"), {"delimiter": "¬", "encoding": "windows-1252"}),
    "apostrophe quotes": (written(quote="'").encode(), {"settings": {"quote": "'"}}),
    "gzip": (gzipped(PLAIN), {"path": f"{CSV_PATH}.gz"}),
    "gzip in two members": (gzipped(PLAIN[:90]) + gzipped(PLAIN[90:]), {"path": f"{CSV_PATH}.gz"}),
    "zip": (zipped(("any name.txt", PLAIN)), {"path": "{council}/clinic/people_{date}.zip"}),
    "zipped UTF-16": (
        zipped(("x", written("\t").encode("utf-16"))),
        {"path": "{council}/clinic/people_{date}.zip", "encoding": "utf-16", "delimiter": "\t"},
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_rows_lines_and_hash(
    dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, said = DIALECTS[dialect]
    # Blocks so small that rows, letters of several bytes and quotes are cut by their ends.
    monkeypatch.setattr(text_module, "BLOCK_BYTES", 211)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 400)
    name = str(said.get("path", CSV_PATH)).rpartition("/")[2].replace("{date}", "2018-10-31")
    extract = opened(tmp_path, content, name, **said)
    rows = read_all(extract)
    if dialect == "CRLF":
        rows = rows.with_columns(pl.col(pl.String).str.replace_all("\r\n", "\n"))
    assert rows.select(HEADERS).rows() == [tuple(each) for each in ROWS]
    assert rows[LINE].to_list() == LINES
    assert extract.content_sha256() == hashlib.sha256(content).hexdigest()
    assert extract.malformed() == [] and extract.extra_headers == ()


def test_without_quotes_a_quote_is_a_letter(tmp_path: Path) -> None:
    rows = read_all(opened(tmp_path, written("|", None).encode(), delimiter="|", settings={"quote": "none"}))
    assert rows["SURNAME"].to_list() == [each[2] for each in ROWS]
    stray = text(row(1, surname='"Ann'), row(2)).encode()
    assert read_all(opened(tmp_path, stray, settings={"quote": "none"})).height == 2


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "record", ["TRAILER,3,31.50", "TRAILER,3,31.50\r", '"TRAILER","3","31.50"\r\n', "TRAILER,3,31.50\n\n"]
)
def test_a_trailer_is_read_off_the_end_and_is_no_row(record: str, packed: bool, tmp_path: Path) -> None:
    content = (text() + record).encode()
    path = f"{CSV_PATH}.gz" if packed else CSV_PATH
    name = "people_2018-10-31.csv" + (".gz" if packed else "")
    extract = opened(tmp_path, gzipped(content) if packed else content, name, path=path, control_record="last")
    assert extract.control_record is None
    assert read_all(extract).height == 3
    assert extract.control_record is not None
    assert (extract.control_record.row_count, str(extract.control_record.total)) == (3, "31.50")
    assert extract.content_sha256() == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("rows", range(108, 118))
def test_a_trailer_is_told_from_the_rows_whatever_the_files_length(rows: int, tmp_path: Path) -> None:
    content = text(*map(row, range(rows))) + f"TRAILER,{rows},1.00"
    # The last four thousand bytes are held back: here the header alone, or little more, is given first.
    extract = opened(tmp_path, content.encode(), control_record="last")
    assert read_all(extract)["PERSON_ID"].to_list() == [str(number) for number in range(rows)]


@pytest.mark.parametrize("block_bytes", [211, 4096])
@pytest.mark.parametrize("record", ["HEADER,3,31.50\n", '"HEADER","3","31.50"\r\n', "HEADER,3,31.50\r"])
def test_a_control_record_may_come_first_and_is_no_header(
    record: str, block_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_module, "BLOCK_BYTES", block_bytes)
    extract = opened(tmp_path, (record + text()).encode(), control_record="first")
    assert extract.control_record is None
    assert read_all(extract)[LINE].to_list() == [3, 4, 5]
    assert extract.control_record is not None
    assert (extract.control_record.row_count, str(extract.control_record.total)) == (3, "31.50")


def test_extra_columns_are_told_and_their_order_does_not_matter(tmp_path: Path) -> None:
    shuffled = [*reversed(HEADERS), "EXTRA"]
    lines = [
        ",".join(shuffled),
        ",,F,1.00,,Example,,1,x",
        ',,F,1.00,,Example,,2,"two\nlines"',
        ",,F,1.00,,Example,,3,x",
        ",,,,,,,,",
        ",,,,,,,,not an empty row",
    ]
    extract = opened(tmp_path, "\n".join(lines).encode())
    rows = read_all(extract)
    assert rows.columns == [*HEADERS, LINE]
    assert rows.select("PERSON_ID", "SURNAME", LINE).rows() == [
        ("1", "Example", 2),
        ("2", "Example", 3),
        ("3", "Example", 5),
        ("", "", 7),
    ]
    assert extract.extra_headers == ("EXTRA",)


def test_rows_of_another_width_are_set_aside_with_their_line(tmp_path: Path) -> None:
    lines = [
        f'{HEADER},"TWO\nLINES"',
        f"{row(1)},",
        "too,few",
        f"{row(2, surname=chr(34) + 'A' + chr(10) + 'B' + chr(34))},",
        "",
        f"{row(3)},,,much",
        f"{row(4)},",
        "last",
    ]
    extract = opened(tmp_path, ("\n".join(lines) + "\n").encode())
    rows = read_all(extract)
    assert rows.select("PERSON_ID", LINE).rows() == [("1", 3), ("2", 5), ("4", 9)]
    assert extract.malformed() == [(4, "too,few"), (8, f"{row(3)},,,much"), (10, "last")]


def test_a_row_set_aside_may_hold_any_letter(tmp_path: Path) -> None:
    extract = opened(tmp_path, text(row(1), "A\0B,\x80\xa3", row(2)).encode())
    assert read_all(extract).height == 2
    assert extract.malformed()[0][0] == 3


def test_a_last_line_without_its_end_is_whole_when_its_fields_are(tmp_path: Path) -> None:
    assert read_all(opened(tmp_path, text().encode()[:-1])).height == 3


def test_a_header_alone_gives_no_rows(tmp_path: Path) -> None:
    extract = opened(tmp_path, HEADER.encode())
    assert read_all(extract).height == 0
    assert extract.content_sha256() == hashlib.sha256(HEADER.encode()).hexdigest()


def test_stray_quotes_never_lose_a_row_without_a_word(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    contract = extracts.contract(tmp_path)
    path = tmp_path / "people_2018-10-31.csv"
    lost, refused, kept = 0, 0, 0
    for _ in range(400):
        rows = [
            row(
                number,
                nhs=chance.choice(["", "9990000018"]),
                surname=chance.choice(["Ann", "O", "May Ann"]),
                rest=chance.choice(["01/02/1950,1.50,F,,", ",,M,,note", "01/02/1950,,F,,a note; long"]),
            )
            for number in range(chance.randint(2, 8))
        ]
        body = list(text(*rows).removeprefix(f"{HEADER}\n"))
        for place in sorted(chance.sample(range(len(body)), chance.randint(1, 4)), reverse=True):
            # Quotes hurt most where a field begins or ends.
            edge = next((edge for edge in range(place, -1, -1) if body[edge] in ",\n"), -1)
            body.insert(edge + chance.randint(0, 1), '"')
        path.write_text(f"{HEADER}\n{''.join(body)}")
        extract = open_extract(path, contract)
        try:
            found = read_all(extract).height + len(extract.malformed())
        except FileRefused:
            refused += 1
            continue
        lost += found != len(rows)
        kept += 1
    assert lost == 0
    assert refused > 50 and kept > 50


def test_notes_with_line_ends_and_delimiters_are_not_taken_for_rows(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    words = ["saw her", "son", "dog", "10.50", "01/02/1950", "F", "", "well"]
    into = io.StringIO(newline="")
    writer = csv.writer(into, lineterminator="\n")
    expected = []
    for number in range(3_000):
        lines = [",".join(chance.choices(words, k=chance.randint(1, 9))) for _ in range(chance.randint(1, 6))]
        expected.append(
            [str(number), "", chance.choice(["Ann", "Example, Ann"]), "", "1.00", "F", "", "\n".join(lines)]
        )
    writer.writerows([HEADERS, *expected])
    rows = read_all(opened(tmp_path, into.getvalue().encode()))
    assert rows.select(HEADERS).rows() == [tuple(each) for each in expected]
    reader = csv.reader(io.StringIO(into.getvalue()))
    begins = [1]
    for _ in reader:
        begins.append(reader.line_num + 1)
    assert rows[LINE].to_list() == begins[1:-1]


# Workbooks


def as_workbook(folder: Path, fill: Callable[[Any], None] | None = None, **book: Any) -> Extract:
    """Open a workbook that `fill` wrote."""
    return opened(folder, workbook(fill, **book), "people_2018-10-31.xlsx", server=sheet_server())


def calculated(book: bytes) -> bytes:
    """The same workbook as Excel saves it once its formulas were calculated."""
    return rewritten(book, BOOK, lambda xml: xml.replace(b' fullCalcOnLoad="1"', b""))


def test_cells_become_the_text_of_the_same_csv(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        day = page.book.add_format({"num_format": "dd mmmm yyyy"})
        moment = page.book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        nine_digits = page.book.add_format({"num_format": "0000000000"})
        pounds = page.book.add_format({"num_format": '"£"#,##0.00;[Red]-"£"#,##0.00'})
        page.write_row(1, 0, [1.0, 9990000018, "Zoë\nO'Brien"])
        page.write_datetime(1, 3, datetime(1950, 2, 1), day)  # noqa: DTZ001
        page.write_number(1, 4, 0.1 + 0.2, pounds)
        page.write_datetime(1, 6, datetime(2018, 4, 3, 9, 30), moment)  # noqa: DTZ001
        page.write_number(2, 0, 2)
        page.write_number(2, 1, 12345, nine_digits)
        page.write_string(2, 2, "007")
        page.write_string(2, 3, "01/02/1950")
        page.write_number(2, 4, 1234567.89)
        page.write_number(3, 0, 3)
        page.write_formula(3, 2, '="Ann"&" Example"', None, "Ann Example")
        page.write_formula(3, 3, "=1/0", None, "#DIV/0!")
        page.write_formula(3, 4, "=100/3", None, 100 / 3)
        page.write_boolean(3, 7, True)
        page.write_row(4, 0, ["4", 1.23e5, "#REF!", 43404, 1e-7, "F", "", 1e20])

    content = calculated(workbook(fill))
    rows = read_all(opened(tmp_path, content, "people_2018-10-31.xlsx", server=sheet_server()))
    assert rows.select(*HEADERS, LINE).rows() == [
        ("1", "9990000018", "Zoë\nO'Brien", "01/02/1950", "0.3", "", "03/04/2018 09:30:00", "", 2),
        ("2", "0000012345", "007", "01/02/1950", "1234567.89", "", "", "", 3),
        ("3", "", "Ann Example", "#DIV/0!", "33.33", "", "", "TRUE", 4),
        ("4", "123000", "#REF!", "43404", "0", "F", "", "100000000000000000000", 5),
    ]


def test_days_that_no_calendar_has_come_out_as_excel_shows_them(tmp_path: Path) -> None:
    serials = {
        0: "00/01/1900",
        1: "01/01/1900",
        59: "28/02/1900",
        60: "29/02/1900",
        61: "01/03/1900",
        43404: "31/10/2018",
    }

    def fill(page: Any) -> None:
        day = page.book.add_format({"num_format": 14})
        for number, serial in enumerate((*serials, 43404.5, -1), start=1):
            page.write_number(number, 0, number)
            page.write_number(number, 3, serial, day)

    extract = as_workbook(tmp_path, fill)
    rows = read_all(extract)
    assert rows["BORN"].to_list() == [*serials.values(), "31/10/2018 12:00:00", "-1"]
    rejects = (
        Conformer(extract.contract, lambda references: references)
        .conform(rows.with_columns(SURNAME=pl.lit("Example")))
        .rejects
    )
    assert rejects.filter(pl.col("reason_code") == "not_a_date")[LINE].to_list() == [2, 5, 8, 9]


SPACES = " ", "\t", "\x0b", "\x0c", "\x85", "\u00a0", "\u2003", "\u3000"


@pytest.mark.parametrize("space", SPACES)
def test_free_text_loses_the_spaces_around_it_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str
) -> None:
    monkeypatch.setattr(delimited, "MOST_ROWS_A_BLOCK", 3)
    blocks = [
        [f"Example{space}", "Example", "Example"],
        ["Example", "Example", f"{space}Example"],
        ["Example", f"{space}Example{space}", "Example"],
        ["Example", "Example", "Example"],
    ]
    for number in range(len(blocks)):
        surnames = [surname for block in blocks[number:] for surname in block]
        path = tmp_path / "people_2018-10-31.csv"
        # Blank notes stand around a padded one.
        rows = [
            row(1 + place, surname=surname) + surname.replace("Example", "") for place, surname in enumerate(surnames)
        ]
        path.write_text(text(*rows))
        contract = extracts.contract(tmp_path)
        conformer, extract = Conformer(contract, lambda references: references), open_extract(path, contract)
        found = pl.concat(conformer.conform(block, padded=extract.padded).rows for block in extract.blocks())
        assert set(found["surname"]) == {"Example"}
        assert found["note"].null_count() == found.height
        is_padded = any(surname != "Example" for surname in surnames)
        assert ("SURNAME" in extract.padded) == ("NOTE" in extract.padded) == is_padded


def test_workbooks_that_count_from_1904_give_the_same_dates(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        page.write_number(1, 0, 1)
        page.write_datetime(1, 3, datetime(2018, 10, 31), page.book.add_format({"num_format": "d/m/yy"}))  # noqa: DTZ001

    assert read_all(as_workbook(tmp_path, fill, since_1904=True))["BORN"].to_list() == ["31/10/2018"]


def test_titles_blank_and_hidden_rows_and_notes_beside_the_table(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        page.merge_range(0, 0, 0, 7, "People of the clinic")
        page.write_formula(1, 0, "=TODAY()", None, 0)
        page.write_row(2, 0, HEADERS)
        page.write_row(3, 0, [1, "", "Example"])
        page.write_row(5, 0, [2, "", "Hidden"])
        page.set_row(5, None, None, {"hidden": True})
        page.write_row(6, 0, [3, "", "Example", "", "", "", "", "", "", "ask the team"])
        page.write_row(7, 0, ["", "", "   "])
        page.write_row(8, 0, [4, "", "Last"])

    extract = opened(tmp_path, workbook(fill), "people_2018-10-31.xlsx", server=sheet_server(headerRow=3))
    assert read_all(extract).select("PERSON_ID", "SURNAME", LINE).rows() == [
        ("1", "Example", 4),
        ("2", "Hidden", 6),
        ("4", "Last", 9),
    ]
    assert [line for line, _ in extract.malformed()] == [7]


def test_the_declared_sheet_is_read_and_no_other(tmp_path: Path) -> None:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    for name, surname in (("Notes", "Wrong"), ("People", "Right"), ("people 2", "Wrong")):
        page = book.add_worksheet(name)
        page.write_row(0, 0, HEADERS)
        page.write_row(1, 0, [1, "", surname])
    book.close()
    # Excel lets no two sheets differ by capitals alone; other programs do.
    content = rewritten(packed.getvalue(), BOOK, lambda xml: xml.replace(b'"people 2"', b'"PEOPLE"'))
    extract = opened(tmp_path, content, "people_2018-10-31.xlsx", server=sheet_server())
    assert read_all(extract)["SURNAME"].to_list() == ["Right"]
    assert extract.content_sha256() == hashlib.sha256(content).hexdigest()


def test_a_cell_may_hold_its_text_itself_in_runs_and_without_places(tmp_path: Path) -> None:
    inline = (
        b'<row><c><v>9</v></c><c/><c t="inlineStr"><is><r><t>Ann</t></r><r><t> May_x000D_</t></r>'
        b"<rPh><t>aside</t></rPh></is></c></row>"
    )
    content = rewritten(workbook(), SHEET, lambda xml: xml.replace(b"</sheetData>", inline + b"</sheetData>"))
    rows = read_all(opened(tmp_path, content, "people_2018-10-31.xlsx", server=sheet_server()))
    assert rows.row(-1)[:3] == ("9", "", "Ann May\r")


def test_a_long_sheet_is_given_in_blocks(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        for number in range(1, 25_001):
            page.write_row(number, 0, [number, "", "Example"])

    blocks = list(as_workbook(tmp_path, fill).blocks())
    assert [block.height for block in blocks] == [10_000, 10_000, 5_000]
    assert blocks[-1][LINE].to_list()[-1] == 25_001


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("General", False),
        ("0.00", False),
        ('0" days"', False),
        ("[Red]0.0", False),
        (r"0\d", False),
        ("#,##0_);(#,##0)", False),
        ("[$£-809]#,##0.00", False),
        ("dd/mm/yyyy", True),
        ("[$-F800]dddd, mmmm dd, yyyy", True),
        ("[h]:mm", True),
        ("mmm-yy;@", True),
    ],
)
def test_number_formats_that_show_dates(code: str, is_date: bool) -> None:
    assert is_date_format(code) is is_date


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ("0.30000000000000004", "0.3"),
        ("1234567.8899999999", "1234567.89"),
        ("2.675", "2.68"),
        ("-2.675", "-2.68"),
        ("1E3", "1000"),
        ("1.0", "1"),
        ("-0.001", "0"),
        ("12345678901234567", "12345678901234567"),
        ("1E999999999", "1E999999999"),
        ("NaN", "NaN"),
    ],
)
def test_numbers_come_out_as_printed_to_the_contracts_scale(raw: str, printed: str, tmp_path: Path) -> None:
    amount = next(each for each in extracts.contract(tmp_path).columns if each.kind == "number")
    assert number_text(raw, amount, 0) == printed


def test_the_programme_register_is_the_same_from_a_workbook(tmp_path: Path) -> None:
    """Write each shipped CSV as a programme office would keep it, numbers as numbers and dates as dates."""
    compared = 0
    for contract in load_contracts():
        file = EXAMPLES / f"{contract.table}_2018-10-31.csv"
        if contract.source != "programme" or not file.is_file():
            continue
        with file.open(encoding="utf-8", newline="") as opened_file:
            headers, *rows = list(csv.reader(opened_file))
        by_header = {column.header: column for column in contract.columns}
        packed = tmp_path / f"{contract.table}.xlsx"
        book = xlsxwriter.Workbook(packed)
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        page = book.add_worksheet(contract.table[:31])
        page.write_row(0, 0, headers)
        for number, fields in enumerate(rows, start=1):
            for place, (header, field) in enumerate(zip(headers, fields, strict=True)):
                column = by_header.get(header)
                if field and column and column.kind in {"integer", "number"}:
                    page.write_number(number, place, float(field))
                elif field and column and column.kind == "date":
                    page.write_datetime(number, place, datetime.strptime(field, column.date_format), day)  # noqa: DTZ007
                else:
                    page.write_string(number, place, field)
        book.close()
        said = extracts.contract(tmp_path, sheet_server(contract.table[:31])).servers[0]
        conformer = Conformer(contract, lambda references: references)
        from_csv, from_sheet = (
            conformer.conform(pl.concat(open_extract(path, contract, how).blocks()))
            for path, how in ((file, contract.servers[0]), (packed, said))
        )
        assert from_csv.rows.height > 0
        assert from_csv.rows.equals(from_sheet.rows)
        assert from_csv.rejects.equals(from_sheet.rejects)
        compared += 1
    assert compared >= 6


# What a contract may declare


def test_a_path_tells_council_day_and_server(tmp_path: Path) -> None:
    contract = extracts.contract(tmp_path, server(), sheet_server())
    for name, said in (("people_2018-10-31.csv", "landing"), ("people_2018-10-31.xlsx", "workbook")):
        recognised = contract.recognise(Path("county/clinic") / name)
        assert recognised is not None
        assert (recognised.council, recognised.extract_date) == ("county", date(2018, 10, 31))
        assert recognised.server.name == said
    for other in ("county/clinic/people_2018-02-31.csv", "county/clinic/people_2018-10-31.txt", "county/people.csv"):
        assert contract.recognise(Path(other)) is None


def test_without_a_server_the_files_name_decides(tmp_path: Path) -> None:
    contract = extracts.contract(tmp_path, server(), sheet_server())
    packed = tmp_path / "people_2018-10-31.xlsx"
    packed.write_bytes(workbook())
    assert open_extract(packed, contract).server.name == "workbook"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([server(format="parquet")], "format is 'parquet'"),
        ([server(delimiter="||")], "delimiter must be a single character"),
        ([server(delimiter="a")], "which values themselves are written with"),
        ([server(delimiter=None)], "delimiter must be a single character"),
        ([server(settings={"quote": ","})], "quote and delimiter are the same"),
        ([server(settings={"quote": "»"})], "quote must be an ASCII character"),
        ([server(encoding="latin-1")], "encoding is 'latin-1'"),
        ([server(encoding=None)], "encoding is None"),
        ([server(settings={"qoute": "'"})], "unknown customProperties ['qoute']"),
        ([server(settings={"sheet": "People"})], "unknown customProperties ['sheet']"),
        ([server(settings={"expandedLimitMegabytes": 0})], "expandedLimitMegabytes must be a whole number"),
        ([server(settings={"finalLineEnd": "yes"})], "finalLineEnd must be"),
        ([server(host="files.example.org")], "says host, which is not read"),
        ([server(path=None)], "path is missing"),
        ([server(server=None)], "the name of a server, is missing"),
        ([server(), server()], "two servers share a name"),
        ([sheet_server("")], "sheet must name the sheet"),
        ([sheet_server(headerRow="first")], "headerRow must be a whole number"),
        ([sheet_server() | {"delimiter": ","}], "a workbook has no delimiter"),
        ([sheet_server() | {"path": "{council}/clinic/people_{date}.xls"}], "ends with .xlsx"),
    ],
)
def test_a_server_that_is_not_understood_is_refused(said: list[dict[str, Any]], words: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"people\.yaml") as refused:
        extracts.contract(tmp_path, *said)
    assert words in str(refused.value)


def test_a_workbook_cannot_promise_a_control_record(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="a workbook has none"):
        extracts.contract(tmp_path, server(), sheet_server(), control_record="last")


def test_limits_can_be_set_for_a_server(tmp_path: Path) -> None:
    limits = {"expandedLimitMegabytes": 5, "expansionLimitRatio": 7}
    understood = extracts.contract(tmp_path, server(settings=limits)).servers[0]
    assert (understood.expanded_limit_bytes, understood.expansion_limit_ratio) == (5_000_000, 7)
    assert replace(understood, name="") != understood
