"""Takes what lies in the landing folder, loads what may be loaded, and says what became of every file."""

import hmac
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import psycopg

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from ingestion import history
from ingestion.contract import Contract, load_contracts, load_councils
from ingestion.delivery import Delivery, Loaded, Waiting, content_sha256, load, record
from ingestion.refusal import FileRefused


@dataclass
class Outcome:
    """How many files of one run were accepted, refused, unchanged (loaded before) or left waiting."""

    accepted: int = 0
    refused: int = 0
    unchanged: int = 0
    waiting: int = 0


def today() -> date:
    """Give the calendar day in England: the business date of a run that states none."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def ingest(settings: Settings, source: str | None = None, business_date: date | None = None) -> Outcome:
    """Load every file in the landing folder that a contract expects, oldest extract first.

    `business_date` is the day on which the files became known (default: today in England); files of a
    later extract date are left for their day. Each file is its own transaction: a bad one is refused, the
    others load. Loaded files move to the archive, refused ones to the refused folder with the reason.

    Raises:
        CarehouseError: the source is not known, or the database cannot be reached.
    """
    contracts = load_contracts()
    sources = sorted({contract.source for contract in contracts})
    if source and source not in sources:
        raise CarehouseError(f"There is no source {source!r}; there are: {', '.join(sources)}.")
    outcome = Outcome()
    settings.landing.mkdir(parents=True, exist_ok=True)
    with connect(settings, Role.LOADER) as loader:
        # A delivery is staged and compared in memory where it fits.
        loader.execute("set temp_buffers = '256MB'; set work_mem = '256MB'")
        history.ensure_tables(loader, contracts)
        loader.commit()
        for delivery in _deliveries(settings, contracts, source, business_date or today(), outcome):
            _take(settings, loader, delivery, business_date or today(), outcome)
    return outcome


def _deliveries(
    settings: Settings, contracts: tuple[Contract, ...], source: str | None, known_by: date, outcome: Outcome
) -> list[Delivery]:
    """List the files to load; say of every other file why it is left."""
    councils = load_councils()
    found = []
    for path in sorted(settings.landing.rglob("*")):
        below = path.relative_to(settings.landing)
        if not path.is_file() or any(part.startswith(".") for part in below.parts):
            continue
        if source and (len(below.parts) < 2 or below.parts[1] != source):
            continue
        for contract in contracts:
            ours = contract.delivery(below)
            if ours:
                break
        else:
            say(f"left alone: {below}: no contract expects a file of this name")
            outcome.waiting += 1
            continue
        council, extract_date = ours
        if council not in councils:
            say(f"left alone: {below}: there is no council {council} in ingestion/councils.yaml")
            outcome.waiting += 1
        elif extract_date > known_by:
            say(f"left for its day: {below} is dated after {known_by}")
            outcome.waiting += 1
        else:
            found.append(Delivery(path, contract, council, extract_date))
    return sorted(found, key=lambda each: (each.extract_date, each.path))


def _take(
    settings: Settings, loader: psycopg.Connection, delivery: Delivery, business_date: date, outcome: Outcome
) -> None:
    name = f"{delivery.council}/{delivery.contract.source}/{delivery.path.name}"
    try:
        _load_or_refuse(settings, loader, delivery, business_date, outcome, name)
    except (Waiting, FileNotFoundError):
        say(f"left alone: {name} is still being written, or another loader took it")
        outcome.waiting += 1


def _load_or_refuse(
    settings: Settings,
    loader: psycopg.Connection,
    delivery: Delivery,
    business_date: date,
    outcome: Outcome,
    name: str,
) -> None:
    started_at = datetime.now(UTC)
    sha256 = content_sha256(delivery.path)
    try:
        with loader.transaction():
            loaded = load(loader, delivery, sha256, business_date, _pseudonymiser(settings))
    except FileRefused as refusal:
        message = f"{refusal} Ask {delivery.contract.whom_to_ask}."
        with loader.transaction():
            record(
                loader,
                delivery,
                sha256,
                known_on=business_date,
                state="refused",
                reason_code=refusal.reason_code,
                message=message,
                started_at=started_at,
            )
        _put_away(settings, delivery, sha256, "refused").with_suffix(".why.txt").write_text(f"{message}\n")
        say(f"REFUSED {name}: {message} The last good delivery stays current.")
        outcome.refused += 1
        return
    _put_away(settings, delivery, sha256, "archive")
    if loaded is None:
        say(f"unchanged: {name} was loaded before")
        outcome.unchanged += 1
        return
    outcome.accepted += 1
    _report(settings, delivery, loaded, name)


def _report(settings: Settings, delivery: Delivery, loaded: Loaded, name: str) -> None:
    change = loaded.change
    say(
        f"loaded {name}: {loaded.rows_in} rows in = {change.new} new + {change.changed} changed + "
        f"{change.unchanged} unchanged + {loaded.rejected} rejected; {change.closed} closed (batch {loaded.batch_id})"
    )
    if loaded.rejected:
        folder = settings.home / "rejects" / delivery.council / delivery.contract.source
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"{delivery.path.stem}.rejects.csv"
        # The sender has the file: line, column and rule are enough, and no value leaves quarantine.
        loaded.rejects.select(
            pl.col("source_line").alias("line"), pl.col("column_name").alias("column"), "reason_code", "rule"
        ).write_csv(report)
        say(f"  what to put right: {report}; ask {delivery.contract.whom_to_ask}")


def _put_away(settings: Settings, delivery: Delivery, sha256: str, folder: str) -> Path:
    """Move a file that was dealt with out of the landing folder, under its hash, so none is overwritten."""
    kept = settings.home / folder / delivery.council / delivery.contract.source
    kept.mkdir(parents=True, exist_ok=True)
    target = kept / f"{delivery.path.stem}.{sha256[:12]}{delivery.path.suffix}"
    # Another loader may have loaded it, and put it away, while this one waited for it.
    with suppress(FileNotFoundError):
        shutil.move(delivery.path, target)
    return target


def _pseudonymiser(settings: Settings) -> Callable[[pl.Series], pl.Series]:
    key = settings.secret("pseudonym_key").encode()

    def pseudonymise(references: pl.Series) -> pl.Series:
        return pl.Series(
            references.name,
            [hmac.digest(key, str(reference).encode(), "sha256").hex()[:32] for reference in references],
            dtype=pl.String,
        )

    return pseudonymise
