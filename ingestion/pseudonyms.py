"""Pseudonyms: keyed hashes of people's numbers. The key is kept outside the database, which knows how to tell it.

Key versions are numbered. `audit.pseudonym_key` holds a check value of each, from which no key can be worked out, so
that a wrong or lost key is noticed before a row is loaded. See docs/decisions/0012.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from getpass import getuser
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion import history
from ingestion.contract import Contract

SHORTEST_KEY = 24
HOW_TO = "docs/how-to/change-the-pseudonym-key.md"
_WHAT_IS_CHECKED = b"carehouse pseudonym key"
_LOCK = "hashtext('carehouse pseudonyms')"
_SAMPLED_ROWS = 20


@dataclass(frozen=True)
class Key:
    """One version of the key; printing it does not show the key."""

    version: int
    secret: str = field(repr=False)

    @property
    def check_value(self) -> str:
        """What tells this key from another. No person's number has it for a pseudonym."""
        return hmac.digest(self.secret.encode(), _WHAT_IS_CHECKED, "sha256").hex()

    def pseudonyms(self, council: str, references: pl.Series) -> pl.Series:
        """Give each reference's pseudonym: 32 hex digits. Councils number people alike, so theirs differ."""
        key, whose = self.secret.encode(), f"{council}\0"
        return pl.Series(
            references.name,
            [
                None if reference is None else hmac.digest(key, f"{whose}{reference}".encode(), "sha256").hex()[:32]
                for reference in references
            ],
            dtype=pl.String,
        )


def secret_name(version: int) -> str:
    """Name the secret that holds a version of the key."""
    return "pseudonym_key" if version == 1 else f"pseudonym_key_{version}"


def where_kept(version: int) -> str:
    """Say for people where a version of the key is looked for."""
    return f"CAREHOUSE_{secret_name(version).upper()} or the home's secrets.json ({secret_name(version)})"


def refuse_short(version: int, secret: str) -> None:
    """Refuse a key that could be found by trying.

    Raises:
        CarehouseError: it is shorter than 24 characters.
    """
    if len(secret) < SHORTEST_KEY:
        raise CarehouseError(
            f"The pseudonym key in {where_kept(version)} has fewer than {SHORTEST_KEY} characters and could be guessed."
        )


def version_in_use(loader: psycopg.Connection[Any]) -> tuple[int, str] | None:
    """Give number and check value of the key under which history stands; None before the first load."""
    return loader.execute(
        "select key_version, check_value from audit.pseudonym_key order by key_version desc limit 1"
    ).fetchone()


def key_in_use(settings: Settings, loader: psycopg.Connection[Any], contracts: Iterable[Contract]) -> Key:
    """Give the key under which history stands; before the first load, the first one, which is made if need be.

    Raises:
        CarehouseError: the key is not there, is another one, or is too short. Nothing may be loaded then: people would
            be taken for others.
    """
    known = version_in_use(loader) or _first(settings, loader, contracts)
    version, check_value = known
    secret = settings.secret_if_any(secret_name(version))
    if secret is None:
        raise _refusal(version, f"The pseudonym key (version {version}) is missing")
    key = Key(version, secret)
    if not hmac.compare_digest(key.check_value, check_value):
        raise _refusal(version, f"The pseudonym key is not the one under which people are known (version {version})")
    return key


def hold(loader: psycopg.Connection[Any], key: Key | None = None) -> None:
    """Keep the key from being changed until the open transaction ends; whoever writes pseudonyms does this first.

    Raises:
        CarehouseError: `key` is no longer the one in use.
    """
    loader.execute(f"select pg_advisory_xact_lock_shared({_LOCK})")
    if key and version_in_use(loader) != (key.version, key.check_value):
        raise CarehouseError("The pseudonym key was changed while files were loaded. Run again: carehouse ingest")


def be_alone(loader: psycopg.Connection[Any]) -> bool:
    """Keep everybody else from writing pseudonyms until the open transaction ends; say whether nobody does now."""
    return loader.execute(f"select pg_try_advisory_xact_lock({_LOCK})").fetchone() == (True,)


def retired(loader: psycopg.Connection[Any], council: str, person_ids: Iterable[str]) -> set[str]:
    """Give the pseudonyms that these people had under earlier keys."""
    found = loader.execute(
        "select retired_person_id from audit.pseudonym_link where council_code = %s and person_id = any(%s)",
        [council, list(person_ids)],
    )
    return {row[0] for row in found}


def unlink(loader: psycopg.Connection[Any], council: str, person_ids: Iterable[str]) -> None:
    """Let nothing lead from an earlier pseudonym to any of these, for good."""
    loader.execute(
        "delete from audit.pseudonym_link where council_code = %s and person_id = any(%s)",
        [council, list(person_ids)],
    )


def numbers_of(contract: Contract) -> sql.Composed:
    """Select council, number and pseudonym of everybody in a table's history."""
    column = contract.pseudonymised
    if column is None:
        raise ValueError(f"{contract.name} has no pseudonyms")
    return sql.SQL(
        "select council_code, {number}::text as person_number, {pseudonym} as person_id from {history} "
        "where {number} is not null"
    ).format(
        number=sql.Identifier(column.name),
        pseudonym=sql.Identifier(str(column.pseudonym_column)),
        history=history.table(contract),
    )


def _first(settings: Settings, loader: psycopg.Connection[Any], contracts: Iterable[Contract]) -> tuple[int, str]:
    """Note the check value of the first key. What was loaded before check values were kept must be of that key."""
    sampled = [
        row
        for contract in contracts
        if contract.pseudonymised
        for row in loader.execute(numbers_of(contract) + sql.SQL(" limit {}").format(_SAMPLED_ROWS))
    ]
    secret = settings.secret_if_any(secret_name(1)) if sampled else settings.secret(secret_name(1))
    if secret is None:
        raise _refusal(1, "The pseudonym key (version 1) is missing")
    refuse_short(1, secret)
    key = Key(1, secret)
    for council, number, pseudonym in sampled:
        if key.pseudonyms(council, pl.Series([number])).item() != pseudonym:
            raise _refusal(1, "History holds pseudonyms of another key than version 1")
    loader.execute(
        """
        insert into audit.pseudonym_key (key_version, check_value, made_by, because)
        values (1, %s, %s, 'the first load')
        on conflict do nothing
        """,
        [key.check_value, getuser()],
    )
    return version_in_use(loader) or (1, key.check_value)


def _refusal(version: int, what: str) -> CarehouseError:
    return CarehouseError(
        f"{what}, so nothing was loaded. Restore {where_kept(version)}; if it is lost for good, see {HOW_TO}."
    )
