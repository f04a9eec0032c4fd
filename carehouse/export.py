"""Published figures as CSV: one query, or every mart of one publication with a manifest."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings


def write_query(settings: Settings, query: str, to: BinaryIO, *, is_open: bool = False) -> None:
    """Answer `query` as the mart reader (`is_open`: the reader of open marts alone), as CSV with a header.

    Raises:
        CarehouseError: the query is not one select, or the reader may not see what it asks for.
    """
    with connect(settings, Role.OPEN_READER if is_open else Role.READER) as reader:
        try:
            _copy_out(reader, sql.SQL(query.strip().rstrip(";")), to)
        except psycopg.OperationalError:
            raise
        except psycopg.DatabaseError as error:
            raise CarehouseError(f"The query was not answered: {error.diag.message_primary}.") from None


def export_marts(settings: Settings, folder: Path | None = None, *, is_open: bool = False) -> Path:
    """Write each mart as `<mart>.csv`, and `manifest.json` with rows and hashes; give the folder.

    All files are of one publication, read in one snapshot. The folder appears whole or not at all. With `is_open` it
    holds the open marts and nothing else, read by the role that can see nothing else.

    Raises:
        CarehouseError: nothing has been published yet.
    """
    schema, name = ("mart_open", "open") if is_open else ("mart", "publication")
    with connect(settings, Role.OPEN_READER if is_open else Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        publication_id, as_at_date = current_publication(reader, schema)
        target = (folder or settings.home / "exports") / f"{name}_{publication_id}"
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        dictionary = sql.SQL("select distinct mart_name from {} order by 1").format(
            sql.Identifier(schema, "data_dictionary")
        )
        marts = [row[0] for row in reader.execute(dictionary)]
        files = {}
        for mart in marts:
            path = part / f"{mart}.csv"
            with path.open("wb") as file:
                rows = _copy_out(reader, sql.SQL("select * from {}").format(sql.Identifier(schema, mart)), file)
            files[path.name] = {"rows": rows, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        facts = {"publication_id": publication_id, "as_at_date": as_at_date.isoformat(), "files": files}
        (part / "manifest.json").write_text(json.dumps(facts, indent=1))
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    say(f"exported {len(files)} {'open ' if is_open else ''}marts of publication {publication_id}")
    return target


def current_publication(reader: psycopg.Connection[Any], schema: str = "mart") -> tuple[int, Any]:
    """Give id and as-at date of the publication that `reader` sees in that schema.

    Raises:
        CarehouseError: nothing has been published yet.
    """
    query = sql.SQL("select publication_id, as_at_date from {} where is_current")
    row = reader.execute(query.format(sql.Identifier(schema, "publication"))).fetchone()
    if row is None:
        raise CarehouseError("Nothing has been published yet. See: carehouse publications")
    return int(row[0]), row[1]


def _copy_out(reader: psycopg.Connection[Any], query: sql.Composable, to: BinaryIO) -> int:
    statement = sql.SQL("copy ({}) to stdout (format csv, header)").format(query)
    with reader.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for data in copy:
                to.write(data)
        return cursor.rowcount
