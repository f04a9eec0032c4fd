"""Loads one table of one file: whole or not at all, in the open transaction, and at most once."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from carehouse.arrival import Judge, Judgement
from ingestion import judging, manifest, profile, quarantine, snapshot
from ingestion.changes import apply_changes
from ingestion.conform import Conformer
from ingestion.contract import CHANGES
from ingestion.extract import LINE
from ingestion.fingerprint import Fingerprinter, Known, fetch_known
from ingestion.intake import Intake
from ingestion.manifest import Delivery
from ingestion.passage import SHORTEST_HASH, Passage
from ingestion.pseudonyms import Key
from ingestion.reader import open_extract
from ingestion.refusal import FileRefused
from ingestion.snapshot import Arrival, Change
from ingestion.suppression import Suppression, Tokens, keep_returned, load_suppression


@dataclass(frozen=True)
class Terms:
    """What holds for every delivery of one run."""

    known_on: date
    key: Key
    tokens: Tokens
    passage: Passage | None = None
    judge: Judge | None = None


@dataclass(frozen=True)
class Loaded:
    """What became of a delivery's rows; `rows_in` is always the sum of the others but `change.closed`."""

    batch_id: int
    sha256: str
    rows_in: int
    rejected: int
    erased: int
    change: Change
    rejects: pl.DataFrame
    values_normalised: int
    extra_headers: tuple[str, ...]
    is_late: bool
    judgement: Judgement | None


class Waiting(Exception):
    """The file changed while it was read: its sender is still writing it."""


def content_sha256(path: Path) -> str:
    """Give the hash that tells one file's content from another's."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(loader: psycopg.Connection[Any], delivery: Delivery, terms: Terms) -> Loaded | None:
    """Load a delivery in the open transaction of `loader`; None when the same bytes were loaded for the same day.

    Raises:
        FileRefused: the file must not be loaded; the transaction is to be rolled back.
        Waiting: the file changed under our hands; likewise.
    """
    contract, started_at = delivery.contract, datetime.now(UTC)
    before = delivery.path.stat()
    loader.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {contract.name}"])
    accepted = manifest.accepted_contents(loader, delivery)
    if accepted and content_sha256(delivery.path) in accepted:
        return None
    standing = manifest.standing(loader, delivery)
    arrival = Arrival(
        contract=contract,
        council=delivery.council,
        batch_id=manifest.next_batch_id(loader),
        extract_date=delivery.extract_date,
        # Knowledge is never dated before earlier knowledge.
        known_on=max(terms.known_on, standing.latest_known or terms.known_on),
    )
    is_late = standing.latest_extract is not None and delivery.extract_date < standing.latest_extract
    if terms.judge and standing.latest_extract is not None and not is_late:
        terms.judge.prepare()
    intake, change = _bring_into_history(loader, arrival, delivery, terms, is_late=is_late)
    after = delivery.path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
        raise Waiting
    sha256 = intake.extract.content_sha256()
    rejects, normalised = pl.concat([intake.rejects(), change.rejects]), intake.normalised()
    rejected = rejects[LINE].n_unique()
    _refuse_beyond_limit(intake, rejected, rejects)
    quarantine.keep(loader, arrival, rejects, normalised)
    counts = None
    if change.moved is not None:
        latest = max(delivery.extract_date, standing.latest_extract or delivery.extract_date)
        counts = profile.after(
            loader, contract, delivery.council, change.moved, is_whole=change.is_whole, latest=latest
        ) | profile.of_rejects(rejects)
    promised = intake.extract.control_record
    passage = terms.passage if terms.passage and terms.passage.covers(sha256) else None
    manifest.record(
        loader,
        delivery,
        sha256,
        batch_id=arrival.batch_id,
        known_on=arrival.known_on,
        state="accepted",
        started_at=started_at,
        rows_in=intake.row_count,
        rows_new=change.new,
        rows_changed=change.changed,
        rows_unchanged=change.unchanged,
        rows_removed=change.removed,
        rows_superseded=change.superseded,
        rows_rejected=rejected,
        rows_erased=intake.erased_count,
        rows_closed=change.closed,
        values_normalised=normalised.height,
        control_row_count=promised.row_count if promised else None,
        control_total_gbp=promised.total if promised else None,
        extra_columns=", ".join(intake.extract.extra_headers) or None,
        is_late=is_late,
        let_pass_by=passage.by if passage else None,
        let_pass_because=passage.because if passage else None,
    )
    if counts is not None:
        profile.keep(loader, arrival.batch_id, counts)
    judgement = None
    if terms.judge and not is_late:
        judgement = _have_judged(loader, delivery, arrival, terms.judge, terms.known_on, sha256, passage)
    return Loaded(
        arrival.batch_id,
        sha256,
        intake.row_count,
        rejected,
        intake.erased_count,
        change,
        rejects,
        normalised.height,
        intake.extract.extra_headers,
        is_late,
        judgement,
    )


def _bring_into_history(
    loader: psycopg.Connection[Any], arrival: Arrival, delivery: Delivery, terms: Terms, *, is_late: bool
) -> tuple[Intake, Change]:
    suppression = load_suppression(loader, arrival.contract, arrival.council, terms.tokens)
    taken = _take_in(loader, arrival, delivery, terms, suppression, is_late=is_late)
    keep_returned(loader, arrival.council, suppression)
    return taken


def _take_in(
    loader: psycopg.Connection[Any],
    arrival: Arrival,
    delivery: Delivery,
    terms: Terms,
    suppression: Suppression,
    *,
    is_late: bool,
) -> tuple[Intake, Change]:
    contract, council = arrival.contract, arrival.council

    def intake(known: Known) -> Intake:
        extract = open_extract(delivery.path, contract, delivery.server)
        conformer = Conformer(contract, partial(terms.key.pseudonyms, council))
        return Intake(extract, conformer, Fingerprinter(contract, terms.key.secret), known, suppression)

    if contract.delivery == CHANGES:
        reading = intake(Known())
        return reading, apply_changes(loader, arrival, reading)
    if is_late:
        known = fetch_known(loader, contract, council, closed_too=True)
        reading = intake(known)
        return reading, snapshot.keep_late(loader, arrival, reading, known)
    if snapshot.is_first(loader, contract, council):
        try:
            with loader.transaction():
                reading = intake(Known())
                return reading, snapshot.write_first(loader, arrival, reading)
        except psycopg.errors.UniqueViolation:
            # Rows share a key. Which, and what is to become of them, takes a comparison.
            pass
    known = fetch_known(loader, contract, council)
    reading = intake(known)
    may_shrink = terms.passage is not None and terms.passage.covers(content_sha256(delivery.path))
    return reading, snapshot.compare(loader, arrival, reading, known, may_shrink=may_shrink)


def _have_judged(
    loader: psycopg.Connection[Any],
    delivery: Delivery,
    arrival: Arrival,
    judge: Judge,
    business_date: date,
    sha256: str,
    passage: Passage | None,
) -> Judgement:
    judgement = judge.judge(judging.arrived(loader, delivery, business_date))
    if judgement.refusal and passage is None:
        raise judging.ArrivalRefused(
            f"{delivery.path.name}: {judgement.refusal} If the file is right, land it again and run: "
            f"carehouse ingest --let-pass {sha256[:SHORTEST_HASH]} --because '…'.",
            judgement,
        )
    judging.keep(loader, arrival.batch_id, judgement)
    return judgement


def _refuse_beyond_limit(intake: Intake, rejected: int, rejects: pl.DataFrame) -> None:
    contract = intake.extract.contract
    if rejected * 100 > contract.reject_limit_percent * intake.row_count:
        reasons = rejects.group_by("reason_code").agg(pl.col(LINE).n_unique().alias("rows")).sort("reason_code")
        counted = ", ".join(f"{code} {rows}" for code, rows in reasons.iter_rows())
        first = rejects.sort(LINE).row(0, named=True)
        raise FileRefused(
            "too_many_rejects",
            f"{intake.extract.path.name}: {rejected} of {intake.row_count} rows are bad, more than the "
            f"{contract.reject_limit_percent} % that contract {contract.name} allows ({counted}). The first: line "
            f"{first[LINE]}, {first['column_name'] or 'whole row'}, {first['rule']}.",
        )
