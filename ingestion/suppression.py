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
from datetime import date
from typing import Any

import polars as pl
import psycopg

from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion.contract import Column, Contract
from ingestion.record_classes import DELETE, FINANCIAL_YEAR, contracts_and_rules
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


@dataclass(frozen=True)
class Retired:
    """What was taken away for its age: tokens of people up to a day, and rows of financial years ended before one."""

    tokens: frozenset[str] = frozenset()
    as_of: date | None = None
    years_before: date | None = None


class Suppression:
    """The tokens of one council that concern one table, and what they do to a delivery of it."""

    def __init__(
        self,
        contract: Contract,
        council: str,
        tokens: Tokens,
        listed: dict[str, frozenset[str]],
        retired: "Retired | None" = None,
    ) -> None:
        """Take the tokens by domain; `retired` says which rows were taken away for their age."""
        self._contract = contract
        self._retired = retired or Retired()
        self.returned: set[str] = set()
        self._council = council
        self._tokens = tokens
        self._listed = listed
        self._columns = {column: domain for column, domain in domains(contract).items() if listed.get(domain)}
        self._people = [column for column in contract.columns if column.names_person]
        contracts, rules = contracts_and_rules()
        main = contracts.get(contract.name)
        self.deletes = main is not None and rules.of(main).on_erasure == DELETE

    @property
    def retired_as_of(self) -> date | None:
        """The last day up to which people were taken away for their age."""
        return self._retired.as_of

    def __bool__(self) -> bool:
        """Say whether there is anything to look for."""
        return bool(self._columns) or self._retired.years_before is not None

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
        if self._retired.years_before is not None:
            old = self._of_old_years(block, self._retired.years_before)
            kept, dropped = self.apply_tokens(block.filter(~old))
            return kept, pl.concat([block.filter(old), dropped])
        return self.apply_tokens(block)

    def apply_tokens(self, block: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """As `apply`, by numbers alone."""
        if not self._columns:
            return block, block.clear()
        if self.deletes:
            gone = self._less_those_who_came_back(block, self.of_erased(block))
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

    def _less_those_who_came_back(self, block: pl.DataFrame, gone: pl.Series) -> pl.Series:
        """Let rows in that say something of a day after their people were taken away for their age alone."""
        as_of, retired = self._retired.as_of, self._retired.tokens
        if as_of is None or not gone.any():
            return gone
        days = [_day(column) for column in self._contract.stored if _tells_day(column)]
        is_news = pl.any_horizontal(pl.lit(value=False), *((day > as_of).fill_null(value=False) for day in days))
        candidates = block.with_row_index("place").filter(gone & block.select(is_news.alias("news")).to_series())
        headers = [column.header for column in self._columns]
        back = []
        for place, *texts in candidates.select("place", *headers).iter_rows():
            listed = {
                self._tokens.token(self._council, domain, _normal(text, column)): domain
                for text, (column, domain) in zip(texts, self._columns.items(), strict=True)
                if text and self.is_listed(domain, _normal(text, column))
            }
            if set(listed) <= retired:
                back.append(place)
                self.returned |= {token for token, domain in listed.items() if domain == PERSON}
        return gone & ~pl.int_range(block.height, eager=True).is_in(back)

    def _of_old_years(self, block: pl.DataFrame, before: date) -> pl.Series:
        """Say of each row whether its financial year ended before a day."""
        year = next((column for column in self._contract.stored if column.name == "financial_year"), None)
        if year is not None:
            begun = pl.col(year.header).str.extract(r"^\s*(\d{4})", 1).cast(pl.Int32, strict=False)
            ended = begun + 1
        else:
            last = pl.max_horizontal(_day(column) for column in self._contract.stored if _tells_day(column))
            ended = last.dt.year() + (last.dt.month() > 3).cast(pl.Int32)
        limit = before.year if (before.month, before.day) > (3, 31) else before.year - 1
        return block.select((ended <= limit).fill_null(value=False)).to_series()

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
    by_age: set[str] = set()
    as_of: date | None = None
    if wanted:
        for domain, token, until in connection.execute(
            """
            select
                listed.domain_name,
                listed.token,
                case when bool_and(registered.kind = 'retention') then max(registered.as_of_date) end as until
            from audit.suppressed_value as listed
            inner join audit.erasure as registered using (erasure_id)
            where
                listed.council_code = %s and listed.domain_name = any(%s)
                and not exists (
                    select from audit.suppression_ended as ended
                    where
                        registered.kind = 'retention'
                        and (ended.council_code, ended.domain_name, ended.token)
                        = (listed.council_code, listed.domain_name, listed.token)
                        and ended.as_of_date >= registered.as_of_date
                )
            group by listed.domain_name, listed.token
            """,
            [council, wanted],
        ):
            found.setdefault(domain, set()).add(token)
            if until is not None:
                by_age.add(token)
                as_of = max(as_of or until, until)
    (years_before,) = connection.execute(
        "select max(cut_off_date) from audit.retention_run where council_code = %s and table_name = %s "
        "and class_name = any(%s)",
        [council, contract.name, classes_by_year()],
    ).fetchone() or (None,)
    retired = Retired(frozenset(by_age), as_of, years_before)
    return Suppression(contract, council, tokens, {domain: frozenset(each) for domain, each in found.items()}, retired)


def classes_by_year() -> list[str]:
    """Name the record classes whose rows go with their financial year."""
    _, rules = contracts_and_rules()
    return [each.name for each in rules.classes.values() if each.after == FINANCIAL_YEAR]


def keep_returned(connection: psycopg.Connection[Any], council: str, suppression: Suppression) -> None:
    """Write down who came back, so that the rest of them is let in with the deliveries that follow."""
    as_of = suppression.retired_as_of
    if suppression.returned and as_of:
        connection.execute(
            """
            insert into audit.suppression_ended (council_code, domain_name, token, as_of_date)
            select %s, %s, unnest(%s::text[]), %s
            on conflict do nothing
            """,
            [council, PERSON, sorted(suppression.returned), as_of],
        )


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


def _tells_day(column: Column) -> bool:
    return column.kind in ("date", "timestamp") and column.classification != "personal"


def _day(column: Column) -> pl.Expr:
    length = len("dd/mm/yyyy")
    return pl.col(column.header).str.strip_chars().str.slice(0, length).str.to_date(column.date_format, strict=False)


def _normal(text: str, column: Column) -> str:
    """Write a number in one way, however it was sent."""
    text = text.strip()
    if column.kind == "integer":
        with suppress(ValueError):
            return str(int(text))
    return text
