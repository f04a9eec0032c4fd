"""What must not come back: numbers of people who were erased, known by keyed tokens alone, kept out of every delivery.

A token is a keyed hash of a council, a domain and a value. A domain is the column whose number it is, such as
`mosaic.service_elements.element_ref`, whichever table it stands in. The key is not that of pseudonyms: a token can be
compared with no pseudonym, and pseudonyms may change while what was erased stays erased.
"""

import csv
import hmac
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion.contract import Column, Contract
from ingestion.record_classes import DELETE, SEVER, contracts_and_rules
from ingestion.server import Server

PERSON = "mosaic.persons.person_ref"
PSEUDONYM = "pseudonym"
ERASED_TEXT = "[erased]"
# Above every number that a care system gives, so that it stands for nobody.
FIRST_SURROGATE = 10**17


@dataclass(frozen=True)
class Tokens:
    """The keyed functions of one installation."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "Tokens":
        """Take the key from the secret `erasure_key`, which is never changed."""
        return cls(settings.secret("erasure_key").encode())

    @property
    def check(self) -> str:
        """What tells this key from another one."""
        return self._hash("check", "", "")[:16]

    def token(self, council: str, domain: str, value: object) -> str:
        """Give the token by which a value is known."""
        return self._hash(council, domain, str(value))[:32]

    def surrogate(self, council: str, value: object, *, is_number: bool) -> str:
        """Give what is written in a number's place where its row is kept: the same for the same number, always."""
        hashed = self._hash(council, "surrogate", str(value))
        return str(FIRST_SURROGATE + int(hashed[:14], 16)) if is_number else f"erased{hashed[:16]}"

    def other_pseudonym(self, council: str, pseudonym: str) -> str:
        """Give what is written in a pseudonym's place in what was published."""
        return self._hash(council, "other pseudonym", pseudonym)[:32]

    def _hash(self, *parts: str) -> str:
        return hmac.digest(self.key, "\0".join(parts).encode(), "sha256").hex()


def domains(contract: Contract) -> dict[Column, str]:
    """Say of each column of a table whose numbers, or whose words, it holds, where they may lead to a person."""
    contracts, rules = contracts_and_rules()
    main = contracts.get(contract.name)
    if main is None:
        return {}
    referred_to = {column.refers_to for each in contracts.values() for column in each.columns if column.refers_to}
    is_deleted = rules.of(main).on_erasure == DELETE
    meant = {column.name: column for column in main.columns}
    found = {}
    for column in contract.columns:
        name, said = f"{contract.name}.{column.name}", meant[column.name]
        is_only_key = column.key_position is not None and len(main.key) == 1
        if said.names_person:
            found[column] = PERSON
        elif said.refers_to:
            found[column] = said.refers_to
        elif name in referred_to or (is_only_key if is_deleted else said in _words_of(main)):
            found[column] = name
    leads = any(domain == PERSON or column.refers_to or is_free_words(column) for column, domain in found.items())
    return found if leads else {}


def _words_of(contract: Contract) -> list[Column]:
    """Give the columns of a table that is kept in which a person may be named; a worker's name in a list is none."""
    _, rules = contracts_and_rules()
    is_list = rules.of(contract).keep_years is None
    return [] if is_list else [column for column in contract.columns if is_free_words(column)]


def is_free_words(column: Column) -> bool:
    """Say whether a column holds words in which a person may be named, unasked."""
    return column.classification == "personal" and column.kind == "string" and not column.key_position


class Suppression:
    """The tokens of one council that concern one table, and what they do to a delivery of it."""

    def __init__(self, contract: Contract, council: str, tokens: Tokens, listed: dict[str, frozenset[str]]) -> None:
        """Take the tokens by domain."""
        self._council = council
        self._tokens = tokens
        self._listed = listed
        self._columns = {column: domain for column, domain in domains(contract).items() if listed.get(domain)}
        self._people = [column for column in contract.columns if column.names_person]
        contracts, rules = contracts_and_rules()
        main = contracts.get(contract.name)
        self.deletes = main is not None and rules.of(main).on_erasure == DELETE

    def __bool__(self) -> bool:
        """Say whether there is anything to look for."""
        return bool(self._columns)

    def is_listed(self, domain: str, value: str) -> bool:
        """Say whether a value is one of those that must not come back."""
        return self._tokens.token(self._council, domain, value) in self._listed.get(domain, ())

    def of_erased(self, block: pl.DataFrame) -> pl.Series:
        """Say of each row of text whether it leads to a person erased. Where a row names a person, that decides."""
        by_column = {column: self._meets(block[column.header], column) for column in self._columns}
        nobody = pl.repeat(value=False, n=block.height, eager=True)
        by_person = [met for column, met in by_column.items() if column in self._people]
        by_number = [met for column, met in by_column.items() if column not in self._people]
        of_person = pl.select(pl.any_horizontal(nobody, *by_person)).to_series()
        of_number = pl.select(pl.any_horizontal(nobody, *by_number)).to_series()
        if not self._people or not self.deletes:
            return of_person | of_number
        names_nobody = block.select(
            pl.all_horizontal(pl.col(column.header).str.strip_chars() == "" for column in self._people)
        ).to_series()
        return of_person | (of_number & names_nobody)

    def apply(self, block: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Give the rows that may be loaded, with other numbers where they led to a person erased, and those dropped."""
        if not self._columns:
            return block, block.clear()
        if self.deletes:
            gone = self.of_erased(block)
            return block.filter(~gone), block.filter(gone)
        changed = []
        for column, domain in self._columns.items():
            values = block[column.header]
            hits = self._hits(values, column, domain)
            if hits:
                changed.append(values.replace(hits).alias(column.header))
        return block.with_columns(changed), block.clear()

    def malformed_is_of_erased(self, text: str, server: Server) -> bool:
        """Say of a row that cannot be divided into its columns whether any field may lead to a person erased."""
        fields: Iterable[str] = re.findall(r"\w+", text)
        with suppress(csv.Error):
            fields = [*fields, *next(csv.reader([text.rstrip()], delimiter=server.delimiter or ","), [])]
        return self.any_listed(fields)

    def any_listed(self, words: Iterable[str]) -> bool:
        """Say whether any of some words is a number that must not come back, in any column of the table."""
        return any(
            self.is_listed(domain, _normal(word, column))
            for word in {word.strip() for word in words}
            if word
            for column, domain in self._columns.items()
        )

    def _meets(self, values: pl.Series, column: Column) -> pl.Series:
        hits = self._hits(values, column, self._columns[column])
        return values.is_in(list(hits))

    def _hits(self, values: pl.Series, column: Column, domain: str) -> dict[str, str]:
        """Give, for each text that must not come back, what stands in its place."""
        words = is_free_words(column) and not column.names_person
        return {
            text: ERASED_TEXT
            if words
            else self._tokens.surrogate(self._council, _normal(text, column), is_number=column.kind == "integer")
            for text in values.unique().to_list()
            if text and self.is_listed(domain, _normal(text, column))
        }


def load_suppression(
    connection: psycopg.Connection[Any], contract: Contract, council: str, tokens: Tokens
) -> Suppression:
    """Read what must not come back into one table of one council.

    Raises:
        CarehouseError: people were erased under another key, so that nobody could be recognised.
    """
    refuse_other_key(connection, tokens)
    wanted = sorted(set(domains(contract).values()))
    found: dict[str, set[str]] = {}
    if wanted:
        for domain, token in connection.execute(
            "select distinct domain_name, token from audit.suppressed_value "
            "where council_code = %s and domain_name = any(%s)",
            [council, wanted],
        ):
            found.setdefault(domain, set()).add(token)
    return Suppression(contract, council, tokens, {domain: frozenset(each) for domain, each in found.items()})


def refuse_other_key(connection: psycopg.Connection[Any], tokens: Tokens) -> None:
    """See that the key is the one under which people were erased.

    Raises:
        CarehouseError: it is not.
    """
    other = connection.execute("select from audit.erasure where key_check <> %s limit 1", [tokens.check]).fetchone()
    if other is not None:
        raise CarehouseError(
            "People were erased under another erasure key: with this one they would come back. Restore "
            "CAREHOUSE_ERASURE_KEY, or the file secrets.json of the home folder, from your backup."
        )


def _normal(text: str, column: Column) -> str:
    """Write a number in one way, however it was sent."""
    text = text.strip()
    if column.kind == "integer":
        with suppress(ValueError):
            return str(int(text))
    return text


__all__ = ["DELETE", "SEVER", "Suppression", "Tokens", "domains", "load_suppression"]
