"""What dbt has read of a project, handed from one warehouse of a test to the next: reading takes a third of a small build.

dbt keeps the name of the database in what it has read, and a hash of where the database is, so both are put right. Should
dbt keep either otherwise one day, `keep` fails; and what is handed over wrongly dbt would not use, but read the project anew.
"""

import hashlib
import pprint
from pathlib import Path
from urllib.parse import urlsplit

from carehouse.build import dbt_target
from carehouse.database import Role, url
from carehouse.saved_parse import fingerprint
from carehouse.settings import PROJECT, Settings

# Fingerprint of the project -> what was read of it, and the warehouse it was read for.
_kept: dict[str, tuple[bytes, Settings]] = {}


def keep(settings: Settings) -> None:
    """Remember what dbt has read for this warehouse, if it has."""
    read, project = (dbt_target(settings) / name for name in ("partial_parse.msgpack", "parsed_project.sha256"))
    if read.exists() and project.exists() and project.read_text() not in _kept:
        content = read.read_bytes()
        assert content.count(_where(settings)) == 1, "dbt keeps its connection otherwise than it did"
        _kept[project.read_text()] = content, settings


def hand_over(settings: Settings, project: Path = PROJECT) -> None:
    """Give a warehouse that has built nothing yet what was read of this project for another, if it was."""
    target, read_of = dbt_target(settings), fingerprint(project / "dbt_project")
    if read_of not in _kept or target.exists():
        return
    target.mkdir(parents=True)
    content, read_for = _kept[read_of]
    content = content.replace(_where(read_for), _where(settings))
    (target / "partial_parse.msgpack").write_bytes(content.replace(_database(read_for), _database(settings)))
    (target / "parsed_project.sha256").write_text(read_of)


def _database(settings: Settings) -> bytes:
    return urlsplit(url(settings, Role.BUILDER)).path.lstrip("/").encode()


def _where(settings: Settings) -> bytes:
    """Give the hash that dbt makes of a connection."""
    where = urlsplit(url(settings, Role.BUILDER))
    connection = {
        "host": where.hostname,
        "port": where.port,
        "user": where.username,
        "database": where.path.lstrip("/"),
        "schema": "staging",
        "connect_timeout": 10,
        "sslmode": "prefer",
        "application_name": "dbt",
        "autocommit": False,
        "keepalives_idle": 0,
        "retries": 1,
        **dict.fromkeys(("role", "search_path", "sslcert", "sslkey", "sslrootcert")),
    }
    listed = pprint.pformat(sorted(connection.items(), key=lambda item: item[0]))
    return hashlib.sha256(listed.encode()).hexdigest().encode()
