"""A person who must be found nowhere behind the marts' door: planted in extracts, and looked for in tables and files.

The invented council holds her already (`ingestion/synth/persons.py`): by name, NHS number, address, and a telephone number
typed in with her forename. Here she is put where no column is meant for her, too.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingestion.synth.persons import CANARY_FORENAME, CANARY_SURNAME, CANARY_TELEPHONE

FORENAME = CANARY_FORENAME.partition(" ")[0]
E_MAIL = f"{FORENAME}@{CANARY_SURNAME}.example".lower()
COUNCIL = "exampleshire"


def plant(landing: Path) -> None:
    """Put her into free text, into another person's and another column's place, and into rows that cannot be loaded."""
    number = person(landing)["NHS_ID"]
    words = f"Refund to {FORENAME} {CANARY_SURNAME} ({number}), {CANARY_TELEPHONE}, {E_MAIL}"
    _change(landing, "ledger/lines", lambda rows: rows[0].update(DESCRIPTION=words))
    _change(landing, "mosaic/workers", lambda rows: rows[0].update(FULL_NAME=f"{FORENAME} {CANARY_SURNAME}"))
    _change(landing, "mosaic/person_references", lambda rows: rows[0].update(REFERENCE=number))

    def add_bad_rows(rows: list[dict[str, str]]) -> None:
        rows.append({**rows[0], "REF_ADDRESSES_PEOPLE_ID": CANARY_SURNAME, "ADDRESS": words})
        rows.append({**rows[0], "REF_ADDRESSES_PEOPLE_ID": "987654321", "ADDRESS_TYPE": E_MAIL, "ADDRESS": words})

    _change(landing, "mosaic/addresses", add_bad_rows)


def person(extracts: Path) -> dict[str, str]:
    """Give her row of the persons extract."""
    (found,) = (row for row in _rows(extracts, "mosaic/persons")[1] if row["SURNAME"] == CANARY_SURNAME)
    return found


def pattern(extracts: Path) -> str:
    """Give a regular expression, for Python and PostgreSQL alike and any case, that finds her by anything she is."""
    her = person(extracts)
    number, postcode = her["NHS_ID"], her["POST_CODE"]
    assert re.fullmatch(r"999\d{7}", number) and re.fullmatch(r"\w+ \w+", postcode)
    return "|".join(
        (
            FORENAME,
            CANARY_SURNAME,
            CANARY_TELEPHONE.replace(" ", " ?"),
            "old aviary",
            "warbler steps",
            # A fraction of a second may have the same digits.
            f"(?<![0-9.]){number[:3]}[ -]?{number[3:6]}[ -]?{number[6:]}(?![0-9])",
            postcode.replace(" ", " ?"),
        )
    )


def relations_that_hold(connection: psycopg.Connection[Any], sought: str) -> set[str]:
    """Name every table and view of the database, comments of the catalogue among them, in which the pattern is found."""
    relations = connection.execute(
        """
        select nspname, relname
        from pg_class
        inner join pg_namespace on relnamespace = pg_namespace.oid
        where
            relkind in ('r', 'm', 'v', 'p') and nspname <> 'information_schema' and nspname not like 'pg\\_toast%'
            and (nspname <> 'pg_catalog' or relname = 'pg_description')
        """
    ).fetchall()
    found = set()
    for schema, relation in relations:
        asked = connection.execute(
            sql.SQL("select exists (select from {} as looked_at where looked_at::text ~* {})").format(
                sql.Identifier(schema, relation), sought
            )
        ).fetchone()
        if asked == (True,):
            found.add(f"{schema}.{relation}")
    return found


def files_that_hold(files: Iterable[Path], sought: str) -> list[Path]:
    """List the files in which the pattern is found."""
    look = re.compile(sought.encode(), re.IGNORECASE)
    return [path for path in files if path.is_file() and look.search(path.read_bytes())]


def _change(landing: Path, table: str, change: Callable[[list[dict[str, str]]], None]) -> None:
    path, rows, rest = _read(landing, table)
    change(rows)
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(written.getvalue() + rest, encoding="utf-8")


def _rows(landing: Path, table: str) -> tuple[Path, list[dict[str, str]]]:
    path, rows, _ = _read(landing, table)
    return path, rows


def _read(landing: Path, table: str) -> tuple[Path, list[dict[str, str]], str]:
    """Give the file, its rows, and the control record at its end."""
    (path,) = landing.glob(f"{COUNCIL}/{table}_*.csv")
    text = path.read_text(encoding="utf-8")
    body, mark, end = text.rpartition("TRAILER,")
    rest = mark + end
    return path, list(csv.DictReader(io.StringIO(body if mark else text))), rest if mark else ""
