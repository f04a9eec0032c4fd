"""The register of erasures: in the ledger, and in a file outside the database, for the day a backup is restored.

It holds keyed tokens, counts, reasons and dates, and nothing from which a person can be told without the key.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion.suppression import Tokens

FOLDER = "registers"
FILE = "erasures.jsonl"


@dataclass(frozen=True)
class Entry:
    """One decision, and the tokens of what must not be kept, by domain."""

    erasure_id: str
    kind: str
    council: str
    key_check: str
    because: str
    by: str
    values: dict[str, list[str]] = field(repr=False)
    as_of: str | None = None

    def with_more(self, values: dict[str, list[str]]) -> "Entry":
        """Give the same decision with further tokens."""
        merged = {
            domain: sorted({*self.values.get(domain, ()), *values.get(domain, ())})
            for domain in {*self.values, *values}
        }
        return Entry(
            self.erasure_id, self.kind, self.council, self.key_check, self.because, self.by, merged, self.as_of
        )


def file(settings: Settings) -> Path:
    """Name the register outside the database."""
    return settings.home / FOLDER / FILE


def append(settings: Settings, entry: Entry) -> None:
    """Add an entry to the file, on disk when this returns."""
    path = file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    said = json.dumps(asdict(entry), sort_keys=True)
    line = json.dumps({"entry": asdict(entry), "signature": _signature(settings, said)}, sort_keys=True)
    with path.open("a+b") as register:
        fcntl.flock(register, fcntl.LOCK_EX)
        # What was being written when the power went was never acted on.
        register.seek(0)
        whole = register.read().rpartition(b"\n")
        register.truncate(len(whole[0]) + len(whole[1]))
        register.seek(0, os.SEEK_END)
        register.write(line.encode() + b"\n")
        register.flush()
        os.fsync(register.fileno())


def read(settings: Settings) -> list[Entry]:
    """Read the file, the lines of one erasure as one entry; none if there is no file.

    Raises:
        CarehouseError: a line was changed or damaged.
    """
    path = file(settings)
    found: dict[str, Entry] = {}
    lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
            entry = Entry(**said["entry"])
            signed = said["signature"] == _signature(settings, json.dumps(said["entry"], sort_keys=True))
        except (ValueError, TypeError, KeyError):
            signed = False
        if not signed:
            raise CarehouseError(
                f"Line {number} of {path} was changed or damaged, or belongs to another erasure key. Restore the file "
                "from your backup."
            )
        earlier = found.get(entry.erasure_id)
        found[entry.erasure_id] = earlier.with_more(entry.values) if earlier else entry
    return list(found.values())


def complete(settings: Settings, known: Iterable[Entry], there: set[str]) -> None:
    """Add to the file what the ledger alone knows."""
    for entry in known:
        if entry.erasure_id not in there:
            append(settings, entry)


def record(loader: psycopg.Connection[Any], entry: Entry) -> None:
    """Write an entry into the ledger, unless it is there."""
    loader.execute(
        """
        insert into audit.erasure (erasure_id, kind, council_code, key_check, because, decided_by, as_of_date)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        [entry.erasure_id, entry.kind, entry.council, entry.key_check, entry.because, entry.by, entry.as_of],
    )
    for domain, tokens in entry.values.items():
        loader.execute(
            """
            insert into audit.suppressed_value (council_code, domain_name, token, erasure_id)
            select %s, %s, unnest(%s::text[]), %s
            on conflict do nothing
            """,
            [entry.council, domain, tokens, entry.erasure_id],
        )


def known(loader: psycopg.Connection[Any]) -> list[Entry]:
    """Read every entry of the ledger, in the order of registration."""
    return _read_ledger(loader, "true")


def unfinished(loader: psycopg.Connection[Any]) -> list[Entry]:
    """Read the entries of the ledger that were not carried through to the end."""
    return _read_ledger(
        loader,
        "not exists (select from audit.erasure_step as step "
        "where step.erasure_id = registered.erasure_id and step.step_code = 'verified')",
    )


def _read_ledger(loader: psycopg.Connection[Any], condition: str) -> list[Entry]:
    rows = loader.execute(
        "select erasure_id::text, kind, council_code, key_check, because, decided_by, as_of_date::text "
        f"from audit.erasure as registered where {condition} order by registered_at"
    ).fetchall()
    entries = [
        Entry(identifier, kind, council, key_check, because, by, {}, as_of)
        for identifier, kind, council, key_check, because, by, as_of in rows
    ]
    by_id = {entry.erasure_id: entry for entry in entries}
    for identifier, domain, token in loader.execute(
        "select erasure_id, domain_name, token from audit.suppressed_value where erasure_id = any(%s::uuid[])",
        [list(by_id)],
    ):
        by_id[str(identifier)].values.setdefault(domain, []).append(token)
    return entries


def _signature(settings: Settings, said: str) -> str:
    return Tokens.of(settings).token("register", "", said)
