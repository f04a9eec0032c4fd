"""Takes what lies in the landing folder, loads what may be loaded, and says what became of every file."""

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from carehouse import history_lock
from carehouse.arrival import OpenJudge
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from ingestion import history, judging, manifest, pseudonyms
from ingestion.consignment import Consignment, expected
from ingestion.contract import CHANGES, load_contracts
from ingestion.delivery import Loaded, Terms, Waiting, content_sha256, load
from ingestion.manifest import Delivery
from ingestion.passage import Passage
from ingestion.profile import counted_by
from ingestion.refusal import FileRefused
from ingestion.sender import put_away, tell_sender
from ingestion.suppression import Tokens

ANALYSE_FROM_SHARE = 10


@dataclass
class Outcome:
    """How many files of one run were accepted, refused, unchanged (loaded before) or left waiting."""

    accepted: int = 0
    refused: int = 0
    unchanged: int = 0
    waiting: int = 0


class _Refused(Exception):
    """One delivery of a consignment is refused, and with it the transaction."""

    def __init__(self, delivery: Delivery, refusal: FileRefused) -> None:
        super().__init__(refusal.reason_code)
        self.delivery = delivery
        self.refusal = refusal


def today() -> date:
    """Give the calendar day in England: the business date of a run that states none."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def ingest(
    settings: Settings,
    source: str | None = None,
    business_date: date | None = None,
    passage: Passage | None = None,
    open_judge: OpenJudge | None = None,
) -> Outcome:
    """Load every file in the landing folder that a contract expects, oldest extract first.

    `business_date` is the day on which the files became known (default: today in England); files of a
    later extract date are left for their day. A file, or a set of files that belong together, is one
    transaction: a bad one is refused, the others load. Loaded files move to the archive, refused ones to the
    refused folder with the reason. `passage` lets one file pass that was refused for how it differs from
    earlier ones. The judge that `open_judge` gives is asked before a delivery is accepted, and what came of its
    checks is kept.

    Raises:
        CarehouseError: the source is not known, the database cannot be reached, or the pseudonym key is not the one
            under which people are known.
    """
    contracts = load_contracts()
    sources = sorted({contract.source for contract in contracts})
    if source and source not in sources:
        raise CarehouseError(f"There is no source {source!r}; there are: {', '.join(sources)}.")
    outcome = Outcome()
    settings.landing.mkdir(parents=True, exist_ok=True)
    tables = {contract.name: counted_by(contract) for contract in contracts}
    with connect(settings, Role.LOADER) as loader, open_judge(tables) if open_judge else nullcontext() as judge:
        # For the whole run: what comes together in a night is built together.
        history_lock.change(loader)
        # A delivery is staged and compared in memory where it fits.
        loader.execute("set temp_buffers = '256MB'; set work_mem = '256MB'")
        history.ensure_tables(loader, contracts)
        key = pseudonyms.key_in_use(settings, loader, contracts)
        terms = Terms(business_date or today(), key, Tokens.of(settings), passage, judge)
        loader.commit()
        found, left = expected(settings.landing, contracts, source, terms.known_on)
        for words in left:
            say(words)
        outcome.waiting += len(left)
        for consignment in found:
            _take(settings, loader, consignment, terms, outcome)
    return outcome


def _take(
    settings: Settings, loader: psycopg.Connection, consignment: Consignment, terms: Terms, outcome: Outcome
) -> None:
    lacking = consignment.lacking(loader)
    loader.commit()
    if lacking:
        say(f"left waiting: {consignment.name} is not complete, it lacks {', '.join(lacking)}")
        outcome.waiting += len(consignment.paths)
        return
    started_at = datetime.now(UTC)
    try:
        try:
            with loader.transaction():
                pseudonyms.hold(loader, terms.key)
                loaded = [(delivery, _load(loader, delivery, terms)) for delivery in consignment.deliveries]
        except _Refused as refused:
            _refuse(settings, loader, refused.delivery, refused.refusal, terms.known_on, started_at)
            outcome.refused += 1
            outcome.waiting += len(consignment.paths) - 1
            return
    except (Waiting, FileNotFoundError):
        say(f"left alone: {consignment.name} is still being written, or another loader took it")
        outcome.waiting += len(consignment.paths)
        return
    _settle(settings, loader, consignment, loaded, outcome)


def _load(loader: psycopg.Connection, delivery: Delivery, terms: Terms) -> Loaded | None:
    try:
        return load(loader, delivery, terms)
    except FileRefused as refusal:
        raise _Refused(delivery, refusal) from None


def _settle(
    settings: Settings,
    loader: psycopg.Connection,
    consignment: Consignment,
    loaded: list[tuple[Delivery, Loaded | None]],
    outcome: Outcome,
) -> None:
    """Put the files of a committed consignment away and say what became of their rows."""
    for path in consignment.paths:
        of_path = [(delivery, each) for delivery, each in loaded if delivery.path == path]
        if any(each for _, each in of_path):
            outcome.accepted += 1
        else:
            outcome.unchanged += 1
        # The loader that loaded it may have put it away meanwhile.
        with suppress(FileNotFoundError):
            sha256 = next((each.sha256 for _, each in of_path if each), None) or content_sha256(path)
            put_away(settings, of_path[0][0], sha256, "archive")
    for delivery, each in loaded:
        if each is None:
            say(f"unchanged: {_name(delivery)} was loaded before")
            continue
        _report(settings, delivery, each)
        if (each.change.new + each.change.changed) * ANALYSE_FROM_SHARE > each.rows_in:
            loader.execute(sql.SQL("analyze {}").format(history.table(delivery.contract)))
            loader.commit()


def _refuse(
    settings: Settings,
    loader: psycopg.Connection,
    delivery: Delivery,
    refusal: FileRefused,
    known_on: date,
    started_at: datetime,
) -> None:
    message = f"{refusal} Ask {delivery.contract.whom_to_ask}."
    sha256 = content_sha256(delivery.path)
    with loader.transaction():
        batch_id = manifest.next_batch_id(loader)
        manifest.record(
            loader,
            delivery,
            sha256,
            batch_id=batch_id,
            known_on=known_on,
            state="refused",
            reason_code=refusal.reason_code,
            message=message,
            started_at=started_at,
        )
        if isinstance(refusal, judging.ArrivalRefused):
            judging.keep(loader, batch_id, refusal.judgement)
    put_away(settings, delivery, sha256, "refused").with_suffix(".why.txt").write_text(f"{message}\n")
    say(f"REFUSED {_name(delivery)}: {message} The last good delivery stays current.")


def _report(settings: Settings, delivery: Delivery, loaded: Loaded) -> None:
    change = loaded.change
    parts = {
        "new": change.new,
        "changed": change.changed,
        "unchanged": change.unchanged,
        "removed": change.removed,
        "superseded": change.superseded,
        "rejected": loaded.rejected,
        "of people erased": loaded.erased,
    }
    shown = " + ".join(
        f"{rows} {what}"
        for what, rows in parts.items()
        if rows or what not in ("removed", "superseded", "of people erased")
    )
    say(
        f"loaded {_name(delivery)}: {loaded.rows_in} rows in = {shown}; {change.closed} closed "
        f"(batch {loaded.batch_id})"
    )
    if loaded.is_late and delivery.contract.delivery != CHANGES:
        say("  a later extract is loaded already: what only this one shows is kept, and nothing current is touched")
    if loaded.extra_headers:
        say(f"  passed over columns that the contract does not know: {', '.join(loaded.extra_headers)}")
    if loaded.values_normalised:
        say(f"  understood {loaded.values_normalised} codes that were not written as their lists have them")
    if loaded.judgement:
        broken = loaded.judgement.warnings
        if loaded.judgement.refusal:
            # Somebody let it pass.
            broken = (loaded.judgement.refusal, *broken)
        for words in broken:
            say(f"  to look into: {words} Ask {delivery.contract.whom_to_ask}.")
    report = tell_sender(settings, delivery, loaded.rejects)
    if report:
        say(f"  what to put right: {report}; ask {delivery.contract.whom_to_ask}")


def _name(delivery: Delivery) -> str:
    sheet = f", sheet {delivery.server.sheet}" if delivery.server.sheet else ""
    return f"{delivery.council}/{delivery.contract.source}/{delivery.path.name}{sheet}"
