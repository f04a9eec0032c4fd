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


def write_query(settings: Settings, query: str, to: BinaryIO) -> None:
    """Answer `query` as the mart reader, as CSV with a header.

    Raises:
        CarehouseError: the query is not one select, or the reader may not see what it asks for.
    """
    with connect(settings, Role.READER) as reader:
        try:
            _copy_out(reader, sql.SQL(query.strip().rstrip(";")), to)
        except psycopg.OperationalError:
            raise
        except psycopg.DatabaseError as error:
            raise CarehouseError(f"The query was not answered: {error.diag.message_primary}.") from None


def export_marts(settings: Settings, folder: Path | None = None) -> Path:
    """Write each mart as `<mart>.csv`, and `manifest.json` with rows and hashes; give the folder.

    All files are of one publication, read in one snapshot. The folder appears whole or not at all.

    Raises:
        CarehouseError: nothing has been published yet.
    """
    with connect(settings, Role.READER) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        publication_id, as_at_date = current_publication(reader)
        target = (folder or settings.home / "exports") / f"publication_{publication_id}"
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        marts = [row[0] for row in reader.execute("select distinct mart_name from mart.data_dictionary order by 1")]
        files = {}
        for mart in marts:
            path = part / f"{mart}.csv"
            with path.open("wb") as file:
                rows = _copy_out(reader, sql.SQL("select * from {}").format(sql.Identifier("mart", mart)), file)
            files[path.name] = {"rows": rows, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        facts = {"publication_id": publication_id, "as_at_date": as_at_date.isoformat(), "files": files}
        (part / "manifest.json").write_text(json.dumps(facts, indent=1))
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    say(f"exported {len(files)} marts of publication {publication_id}")
    return target


def current_publication(reader: psycopg.Connection[Any]) -> tuple[int, Any]:
    """Give id and as-at date of the publication that `reader` sees.

    Raises:
        CarehouseError: nothing has been published yet.
    """
    row = reader.execute("select publication_id, as_at_date from mart.publication where is_current").fetchone()
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
