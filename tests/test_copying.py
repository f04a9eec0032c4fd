"""What is sent to PostgreSQL in binary form comes back as it was, for every type that history keeps."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.settings import Settings
from ingestion.contract import SQL_TYPES, load_contracts
from ingestion.copying import copying
from ingestion.fingerprint import FIRST, PLACE, SECOND
from ingestion.refusal import FileRefused
from ingestion.values import polars_type
from tests import trial

KINDS = {
    "text": "string",
    "integer": "integer",
    "bigint": "integer",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
    "numeric(4,0)": "number",
    "numeric(5,2)": "number",
    "numeric(9,2)": "number",
    "numeric(14,2)": "number",
    "numeric(16,2)": "number",
    "numeric(16,4)": "number",
}
ODD_TEXTS = [
    "\\.",
    "\\N",
    "",
    " ",
    "é",
    "e\u0301",
    "\u202eabc",
    "\U0001f9d3",
    "a\nb\r\nc\t",
    "'; drop table x; --",
    "\ufeff",
    "\x01",
]


def decimals(sql_type: str) -> st.SearchStrategy[Decimal]:
    """Every number that the type holds, its limits and the smallest step often."""
    digits, scale = (int(part) for part in sql_type.removeprefix("numeric(").removesuffix(")").split(","))
    limit = 10**digits - 1
    units = st.sampled_from([limit, -limit, 0, 1, -1, 10**scale, -(10**scale) - 1]) | st.integers(-limit, limit)
    # A context of the usual 28 digits would round.
    return units.map(lambda unit: Decimal((int(unit < 0), tuple(map(int, str(abs(unit)))), -scale)))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(ODD_TEXTS) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "integer": st.sampled_from([2**31 - 1, -(2**31)]) | st.integers(-(2**31), 2**31 - 1),
    "bigint": st.sampled_from([2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1),
    "date": st.sampled_from([date.min, date.max, date(2000, 1, 1), date(1900, 2, 28)]) | st.dates(),
    "timestamp": st.sampled_from([datetime.min, datetime.max, datetime(1999, 12, 31, 23, 59, 59, 999999)])  # noqa: DTZ001, DTZ901
    | st.datetimes(),
    "boolean": st.booleans(),
    **{sql_type: decimals(sql_type) for sql_type in KINDS if sql_type.startswith("numeric")},
}
ROWS = st.lists(st.tuples(*(st.none() | VALUES[sql_type] for sql_type in KINDS)), max_size=30)


@pytest.fixture
def session(server: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server, to a database that is there anyway."""
    with connect(server, Role.ADMIN, autocommit=True, database="postgres") as session:
        yield session


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataType]:
    """The type in which the conformer gives the values of each kind of column."""
    said = [trial.column(name, kind, name) for name, kind in KINDS.items()]
    key = trial.column("number", "integer", "integer", 1)
    columns = trial.contract_of(tmp_path_factory.mktemp("contract"), said=[*said, key]).columns
    return {column.name: polars_type(column) for column in columns}


def frame_of(rows: list[tuple[Any, ...]], types: dict[str, pl.DataType]) -> pl.DataFrame:
    """Rows as the conformer gives them."""
    return pl.DataFrame(
        [pl.Series(name, [row[place] for row in rows], dtype=types[name]) for place, name in enumerate(KINDS)]
    )


def test_every_type_that_a_contract_may_name_is_tried() -> None:
    tried = {name.partition("(")[0] for name in KINDS}
    assert tried == {name for names in SQL_TYPES.values() for name in names}
    shipped = {column.sql_type for contract in load_contracts() for column in contract.columns}
    assert {name.partition("(")[0] for name in shipped} <= tried


def test_every_value_comes_back_exactly(session: psycopg.Connection[Any], types: dict[str, pl.DataType]) -> None:
    session.execute(
        sql.SQL("create temporary table kept (place integer, {})").format(
            sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(name)) for name in KINDS)
        )
    )

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(rows=ROWS, pieces=st.integers(1, 3))
    def whatever_is_sent(rows: list[tuple[Any, ...]], pieces: int) -> None:
        session.execute("truncate kept")
        frame = frame_of(rows, types).with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("place"))
        with copying(session, sql.Identifier("kept"), ["place", *KINDS]) as write:
            for part in range(pieces):
                write(frame.filter(pl.col("place") % pieces == part))
        found = session.execute(
            sql.SQL("select {} from kept order by place").format(sql.SQL(", ").join(map(sql.Identifier, KINDS)))
        ).fetchall()
        assert found == rows
        numbers = [place for place, name in enumerate(KINDS) if name.startswith("numeric")]
        assert [[str(row[place]) for place in numbers] for row in found] == [
            [str(row[place]) for place in numbers] for row in rows
        ]

    whatever_is_sent()


def test_fingerprints_and_places_come_back_exactly(session: psycopg.Connection[Any]) -> None:
    session.execute("create temporary table kept (fingerprint uuid, row_place tid)")
    # PostgreSQL sends a place as a page of four bytes and an item of two; two more pad it.
    pages = [(0, 1), (1, 65535), (2**32 - 2, 7), (0x010203, 0x0405)]
    places = [int.from_bytes(page.to_bytes(4) + item.to_bytes(2) + bytes(2), "little") for page, item in pages]
    halves = [0, 1, 2**63, 2**64 - 1]
    frame = pl.DataFrame(
        {FIRST: halves, SECOND: halves[::-1], PLACE: places}, schema=dict.fromkeys((FIRST, SECOND, PLACE), pl.UInt64)
    )
    with copying(session, sql.Identifier("kept"), ["fingerprint", "row_place"]) as write:
        write(frame)
    found = session.execute("select uuid_send(fingerprint), row_place::text from kept").fetchall()
    expected = [
        (first.to_bytes(8, "little") + second.to_bytes(8, "little"), f"({page},{item})")
        for first, second, (page, item) in zip(halves, halves[::-1], pages, strict=True)
    ]
    assert sorted(found) == sorted(expected)


def test_a_complaint_of_the_server_is_heard_even_after_the_last_row(session: psycopg.Connection[Any]) -> None:
    session.execute("create temporary table kept (ref integer primary key)")
    twice = pl.DataFrame({"ref": pl.Series([1, 1], dtype=pl.Int32)})
    with pytest.raises(psycopg.errors.UniqueViolation), copying(session, sql.Identifier("kept"), ["ref"]) as write:
        write(twice)
    assert session.execute("select count(*) from kept").fetchone() == (0,)


def test_a_value_that_does_not_fit_is_refused_without_being_quoted(session: psycopg.Connection[Any]) -> None:
    session.execute("create temporary table kept (amount numeric(4,2), name text)")
    too_large = pl.DataFrame({"amount": [Decimal("123456.78")], "name": ["Canary"]})
    with pytest.raises(FileRefused) as refused, copying(session, sql.Identifier("kept"), ["amount", "name"]) as write:
        for _ in range(10):
            write(too_large)
    assert refused.value.reason_code == "not_storable"
    assert "Canary" not in str(refused.value) and "123456" not in str(refused.value)
