"""Takes people who were erased out of files that are kept: what was sent, what was refused, what was exported.

A line that leads to one of them is blanked where it stands, so that every other line keeps its number and `explain`
goes on naming the right one. The file keeps its name, which holds the hash it came with; the hash it has since is
recorded. What cannot be divided into rows, and holds one of their numbers, is removed whole.
"""

import gzip
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import polars as pl
import psycopg

from carehouse.progress import say
from carehouse.settings import Settings
from ingestion.contract import Contract, Recognised, recognise
from ingestion.delivery import content_sha256
from ingestion.erasure_register import Entry
from ingestion.extract import LINE
from ingestion.reader import open_extract
from ingestion.record_classes import contracts_and_rules
from ingestion.refusal import FileRefused
from ingestion.server import Server
from ingestion.suppression import PSEUDONYM, Suppression, Tokens, load_suppression

KEPT = ("archive", "refused")
MADE = ("exports", "reports")
UNDER_HASH = re.compile(r"\.[0-9a-f]{12}(?=\.)")
PSEUDONYMS = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
CHUNK = 1 << 22
Loader = psycopg.Connection[Any]


def redact(settings: Settings, loader: Loader, entry: Entry, tokens: Tokens) -> int:
    """Blank their lines in every kept file of the council, remove what cannot be; give how many files changed."""
    changed = 0
    for path, found in _kept(settings, entry.council):
        suppressions = [
            (contract, each, load_suppression(loader, contract, entry.council, tokens)) for contract, each in found
        ]
        concerned = [(contract, each, suppression) for contract, each, suppression in suppressions if suppression]
        if not concerned:
            continue
        before = content_sha256(path)
        extents = _extents(path, concerned)
        if extents is not None and not extents:
            continue
        blanked = 0
        if extents is None:
            path.unlink()
        else:
            (_, recognised, _) = concerned[0]
            blanked = _blank(path, recognised.server, extents)
        _record(settings, loader, entry, path, before, blanked)
        changed += 1
    for made in _made_of(settings, entry, tokens):
        say(f"removed {made.relative_to(settings.home)}: it can be written again")
        shutil.rmtree(made) if made.is_dir() else made.unlink()
        changed += 1
    return changed


def search(settings: Settings, loader: Loader, entry: Entry, tokens: Tokens) -> int:
    """Count the kept files that still lead to anybody erased."""
    count = 0
    for path, found in _kept(settings, entry.council):
        suppressions = [
            (contract, each, load_suppression(loader, contract, entry.council, tokens)) for contract, each in found
        ]
        concerned = [(contract, each, suppression) for contract, each, suppression in suppressions if suppression]
        count += bool(concerned) and _extents(path, concerned) != []
    return count + len(list(_made_of(settings, entry, tokens)))


def rejected_of_erased(
    suppression: Suppression, contract: Contract, rows: Iterable[tuple[str, str | None, str]]
) -> list[str]:
    """Give the places of rejected rows that lead to anybody erased; a row is (place, column, as sent)."""
    whole: list[tuple[str, dict[str, Any]]] = []
    found: list[str] = []
    for place, column, text in rows:
        if column is None:
            if suppression.malformed_is_of_erased(text, contract.servers[0]):
                found.append(place)
        else:
            whole.append((place, json.loads(text)))
    if whole:
        headers = [column.header for column in contract.columns]
        block = pl.DataFrame(
            [{header: str(sent.get(header) or "") for header in headers} for _, sent in whole],
            schema=dict.fromkeys(headers, pl.String),
        )
        met = suppression.of_erased(block).to_list()
        found += [place for (place, _), hit in zip(whole, met, strict=True) if hit]
    return found


def _kept(settings: Settings, council: str) -> Iterator[tuple[Path, list[tuple[Contract, Recognised]]]]:
    contracts, _ = contracts_and_rules()
    for folder in KEPT:
        root = settings.home / folder
        for path in sorted((root / council).rglob("*")):
            if path.is_file() and not path.name.endswith(".why.txt"):
                landed_as = path.relative_to(root).with_name(UNDER_HASH.sub("", path.name, count=1))
                found = recognise(contracts.values(), landed_as)
                if found:
                    yield path, found


def _extents(path: Path, concerned: list[tuple[Contract, Recognised, Suppression]]) -> list[tuple[int, int]] | None:
    """Give the first line of each row to be blanked, and the line behind it; None if the file must go whole."""
    found: list[tuple[int, int]] = []
    for contract, recognised, suppression in concerned:
        try:
            found += _extents_of(path, contract, recognised.server, suppression)
        except FileRefused:
            return None if suppression.any_listed(_words(path)) else []
    if found and concerned[0][1].server.format != "csv":
        return None
    return sorted(set(found))


def _extents_of(path: Path, contract: Contract, server: Server, suppression: Suppression) -> list[tuple[int, int]]:
    extract = open_extract(path, contract, server)
    starts: list[np.ndarray[Any, Any]] = []
    gone: list[tuple[int, int]] = []
    for block in extract.blocks():
        starts.append(block[LINE].to_numpy())
        met = block.filter(suppression.of_erased(block))
        if met.height:
            inner = met.select(
                pl.sum_horizontal(pl.exclude(LINE).str.count_matches(r"\r\n|\r|\n")).cast(pl.Int64)
            ).to_series()
            gone += zip(met[LINE].to_list(), inner.to_list(), strict=True)
    for line, text in extract.malformed():
        starts.append(np.array([line]))
        if suppression.malformed_is_of_erased(text, server):
            gone.append((line, 0))
    if not gone:
        return []
    lines = np.unique(np.concatenate(starts))
    following = np.searchsorted(lines, [line for line, _ in gone], side="right")
    return [
        # The last row of a file may have a control record behind it.
        (line, int(lines[place]) if place < lines.size else line + 1 + inner)
        for (line, inner), place in zip(gone, following.tolist(), strict=True)
    ]


def _blank(path: Path, server: Server, extents: list[tuple[int, int]]) -> int:
    """Write the file anew with those lines empty, and put it in the old one's place; give how many there were."""
    gone = {line for first, behind in extents for line in range(first, behind)}
    part = path.with_name(f".{path.name}.part")
    with _opened(path, server) as old, _opened(part, server, path) as new:
        for number, line in enumerate(old, 1):
            new.write(re.sub(r"[^\r\n]+", "", line) if number in gone else line)
    shutil.copystat(path, part)
    part.replace(path)
    return len(gone)


@contextmanager
def _opened(path: Path, server: Server, like: Path | None = None) -> Iterator[io.TextIOWrapper]:
    """Open a text in its container; to be written, where `like` is the file in whose place it will be."""
    mode: Literal["r", "w"] = "w" if like else "r"
    archive = None
    binary: IO[bytes] | gzip.GzipFile
    if server.compression == "gzip":
        binary = gzip.GzipFile(path, f"{mode}b")
    elif server.compression == "zip":
        archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) if like else zipfile.ZipFile(path)
        with zipfile.ZipFile(like or path) as named:
            (member,) = named.namelist()
        binary = archive.open(member, mode)
    else:
        binary = path.open(f"{mode}b")
    try:
        with io.TextIOWrapper(binary, encoding=server.encoding, errors="surrogateescape", newline="") as text:
            yield text
    finally:
        if archive is not None:
            archive.close()


def _words(path: Path) -> set[str]:
    """Give every word of a file that cannot be read as what it should be."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError):
            return set()
    text = data.replace(b"\0", b"").decode("latin-1")
    return set(re.findall(r"\w+", text))


def _made_of(settings: Settings, entry: Entry, tokens: Tokens) -> Iterator[Path]:
    """Give what was made of the marts and holds one of their pseudonyms: an export as a whole."""
    wanted = set(entry.values.get(PSEUDONYM, ()))
    for folder in MADE:
        root = settings.home / folder
        for made in sorted(root.iterdir()) if root.is_dir() and wanted else ():
            files = [each for each in made.rglob("*") if each.is_file()] if made.is_dir() else [made]
            if any(_holds_pseudonym(file, entry.council, wanted, tokens) for file in files):
                yield made


def _holds_pseudonym(file: Path, council: str, wanted: set[str], tokens: Tokens) -> bool:
    with file.open("rb") as opened:
        tail = b""
        while chunk := opened.read(CHUNK):
            found = {each.decode() for each in PSEUDONYMS.findall(tail + chunk)}
            if any(tokens.token(council, PSEUDONYM, each) in wanted for each in found):
                return True
            tail = chunk[-64:]
    return False


def _record(settings: Settings, loader: Loader, entry: Entry, path: Path, before: str, blanked: int) -> None:
    there = path.is_file()
    loader.execute(
        """
        insert into audit.redacted_file
        (erasure_id, file_path, action_code, sha256_before, sha256_after, lines_blanked)
        values (%s, %s, %s, %s, %s, %s)
        """,
        [
            entry.erasure_id,
            path.relative_to(settings.home).as_posix(),
            "redacted" if there else "removed",
            before,
            hashlib.sha256(path.read_bytes()).hexdigest() if there else None,
            blanked,
        ],
    )
