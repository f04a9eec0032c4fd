"""Finds, set by set, every row of history that leads to people to be erased, and takes it away or severs it.

A row of a class that is deleted on erasure goes when a column in which it names a person names one of them; a row that
names nobody goes when another of its numbers is theirs alone. A number is theirs alone when every row that it is the
number of goes: a step about two people stays while one of them does. Rows of other classes stay, with other numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from ingestion import history, pseudonyms
from ingestion.contract import Column, Contract
from ingestion.erasure_register import Entry
from ingestion.pseudonyms import Key
from ingestion.record_classes import DELETE, contracts_and_rules
from ingestion.suppression import ERASED_TEXT, PERSON, PSEUDONYM, Tokens, domains, is_free_words

SHORTEST_NEEDLE = 6
Loader = psycopg.Connection[Any]


@dataclass
class Plan:
    """What is to go: values by domain, the tables that hold any of them, and the people's names, which are not kept."""

    council: str
    values: dict[str, set[str]] = field(default_factory=dict, repr=False)
    tables: list[Contract] = field(default_factory=list)
    names: list[str] = field(default_factory=list, repr=False)

    @property
    def is_known(self) -> bool:
        """Whether any table holds anything of them."""
        return bool(self.tables)

    def tokens(self, tokens: Tokens) -> dict[str, list[str]]:
        """Give the token of every value, by domain."""
        return {
            domain: sorted(tokens.token(self.council, domain, value) for value in values)
            for domain, values in self.values.items()
        }


def of_people(loader: Loader, council: str, people: Iterable[str], *, by_name_too: bool) -> Plan:
    """Plan the erasure of people by their numbers, in the open transaction; what is merged with them goes too.

    Free text is searched for them `by_name_too` or not: for thousands it takes too long, and goes by its year before.
    """
    _begin(loader)
    _add(loader, {PERSON: set(people)})
    return _spread(loader, council, by_name_too=by_name_too)


def of_tokens(loader: Loader, entry: Entry, tokens: Tokens) -> Plan:
    """Plan what an entry of the register asks for, by what of it is found in history now."""
    _begin(loader)
    _add(loader, _found(loader, entry, tokens))
    return _spread(loader, entry.council, by_name_too=entry.kind == "erasure")


def carry_out(loader: Loader, plan: Plan, tokens: Tokens, key: Key) -> Iterator[tuple[Contract, int, int]]:
    """Delete and sever; give each table with how many rows it lost and how many were severed."""
    _fill_surrogates(loader, plan, tokens, key)
    pseudonyms.unlink(loader, plan.council, plan.values.get(PSEUDONYM, ()))
    contracts, rules = contracts_and_rules()
    for contract in contracts.values():
        if not domains(contract):
            continue
        if rules.of(contract).on_erasure == DELETE:
            yield contract, _delete(loader, contract, plan.council), 0
        else:
            yield contract, 0, _sever(loader, contract, plan.council)


def search(loader: Loader, entry: Entry, tokens: Tokens) -> dict[str, int]:
    """Count, by table, the rows of history that an entry of the register still leads to."""
    with loader.transaction():
        _begin(loader)
        _add(loader, _found(loader, entry, tokens))
        contracts, _ = contracts_and_rules()
        counted = {name: _count(loader, contract, entry.council) for name, contract in contracts.items()}
        loader.execute("drop table pg_temp.erased_value")
    return {name: rows for name, rows in counted.items() if rows}


def _begin(loader: Loader) -> None:
    loader.execute("drop table if exists pg_temp.erased_value")
    loader.execute(
        "create temporary table erased_value (domain_name text not null, value text not null, surrogate text, "
        "pseudonym text, primary key (domain_name, value)) on commit drop"
    )


def _add(loader: Loader, values: dict[str, set[str]]) -> None:
    for domain, each in values.items():
        loader.execute(
            "insert into pg_temp.erased_value (domain_name, value) "
            "select %s, unnest(%s::text[]) on conflict do nothing",
            [domain, sorted(each)],
        )


def _found(loader: Loader, entry: Entry, tokens: Tokens) -> dict[str, set[str]]:
    """Give the values in history whose tokens the register holds."""
    contracts, _ = contracts_and_rules()
    found: dict[str, set[str]] = {}
    for contract in contracts.values():
        for column, domain in domains(contract).items():
            wanted = set(entry.values.get(domain, ()))
            if wanted:
                asked = loader.execute(
                    sql.SQL("select distinct {column}::text from {table} where council_code = %s").format(
                        column=sql.Identifier(column.name), table=history.table(contract)
                    ),
                    [entry.council],
                )
                hits = {row[0] for row in asked if tokens.token(entry.council, domain, row[0]) in wanted}
                found.setdefault(domain, set()).update(hits)
    return found


def _spread(loader: Loader, council: str, *, by_name_too: bool) -> Plan:
    """Follow merges, then rows to the numbers that are theirs alone, and on from those, until nothing more is found."""
    loader.execute(
        """
        insert into pg_temp.erased_value (domain_name, value)
        with recursive merged as (
            select value from pg_temp.erased_value where domain_name = %(person)s
            union
            select
                case
                    when merges.merged_person_ref::text = merged.value then merges.master_person_ref::text
                    else merges.merged_person_ref::text
                end
            from merged
            inner join history.mosaic__person_merges as merges
                on merged.value in (merges.merged_person_ref::text, merges.master_person_ref::text)
            where merges.council_code = %(council)s and merges.known_to is null
        )

        select %(person)s, value from merged
        on conflict do nothing
        """,
        {"person": PERSON, "council": council},
    )
    contracts, rules = contracts_and_rules()
    deleted = [each for each in contracts.values() if domains(each) and rules.of(each).on_erasure == DELETE]
    while sum(_spread_through(loader, contract, council) for contract in deleted):
        pass
    plan = Plan(council)
    plan.names = _names(loader, council) if by_name_too else []
    for contract in contracts.values():
        if domains(contract) and rules.of(contract).on_erasure != DELETE:
            _find_words(loader, contract, council, plan.names)
    plan.tables = [contract for contract in contracts.values() if _count(loader, contract, council)]
    for domain, value in loader.execute("select domain_name, value from pg_temp.erased_value"):
        plan.values.setdefault(domain, set()).add(value)
    plan.values[PSEUDONYM] = _pseudonyms(loader, contracts.values(), council)
    return plan


def _spread_through(loader: Loader, contract: Contract, council: str) -> int:
    found = 0
    for column, domain in domains(contract).items():
        if domain == f"{contract.name}.{column.name}" and domain != PERSON:
            found += loader.execute(
                sql.SQL(
                    """
                    insert into pg_temp.erased_value (domain_name, value)
                    select {domain}, held.{column}::text
                    from {table} as held
                    where
                        held.council_code = %(council)s
                        and held.{column} in (
                            select held.{column} from {table} as held
                            where held.council_code = %(council)s and {leads}
                        )
                    group by held.{column}
                    having bool_and({leads})
                    on conflict do nothing
                    """
                ).format(
                    domain=sql.Literal(domain),
                    column=sql.Identifier(column.name),
                    table=history.table(contract),
                    leads=_leads(contract),
                ),
                {"council": council},
            ).rowcount
    return found


def _leads(contract: Contract) -> sql.Composable:
    """Write the condition under which a row of history, called `held`, leads to somebody to be erased."""
    _, rules = contracts_and_rules()
    found = domains(contract)
    people = [column for column in found if found[column] == PERSON]
    numbers = [column for column in found if found[column] != PERSON]

    def any_of(columns: list[Column]) -> sql.Composable:
        return sql.SQL(" or ").join(
            sql.SQL(
                "coalesce(held.{}::text in (select value from pg_temp.erased_value where domain_name = {}), false)"
            ).format(sql.Identifier(column.name), sql.Literal(found[column]))
            for column in columns
        )

    if not people or not numbers or rules.of(contract).on_erasure != DELETE:
        return sql.SQL("({})").format(any_of([*people, *numbers]))
    names_nobody = sql.SQL(" and ").join(
        sql.SQL("held.{} is null").format(sql.Identifier(column.name)) for column in people
    )
    return sql.SQL("(({}) or ({} and ({})))").format(any_of(people), names_nobody, any_of(numbers))


def _count(loader: Loader, contract: Contract, council: str) -> int:
    if not domains(contract):
        return 0
    row = loader.execute(
        sql.SQL("select count(*) from {} as held where held.council_code = %s and {}").format(
            history.table(contract), _leads(contract)
        ),
        [council],
    ).fetchone()
    return int(row[0]) if row else 0


def _names(loader: Loader, council: str) -> list[str]:
    """Give the words by which free text may name them."""
    found = loader.execute(
        """
        select distinct unnest(array[
            held.nhs_number, held.forename || ' ' || held.surname, held.surname || ', ' || held.forename
        ])
        from history.mosaic__persons as held
        where
            held.council_code = %s
            and held.person_ref::text in (select value from pg_temp.erased_value where domain_name = %s)
        """,
        [council, PERSON],
    )
    return sorted(row[0] for row in found if row[0] and len(row[0].strip()) >= SHORTEST_NEEDLE)


def _find_words(loader: Loader, contract: Contract, council: str, names: list[str]) -> None:
    for column, domain in domains(contract).items():
        if is_free_words(column) and not column.names_person and names:
            loader.execute(
                sql.SQL(
                    """
                    insert into pg_temp.erased_value (domain_name, value)
                    select distinct {domain}, held.{column}
                    from {table} as held
                    where
                        held.council_code = %s
                        and exists (
                            select from unnest(%s::text[]) as name where strpos(lower(held.{column}), lower(name)) > 0
                        )
                    on conflict do nothing
                    """
                ).format(domain=sql.Literal(domain), column=sql.Identifier(column.name), table=history.table(contract)),
                [council, names],
            )


def _pseudonyms(loader: Loader, contracts: Iterable[Contract], council: str) -> set[str]:
    found: set[str] = set()
    for contract in contracts:
        column = contract.pseudonymised
        if column is not None and domains(contract):
            found |= {
                row[0]
                for row in loader.execute(
                    sql.SQL(
                        "select distinct held.{pseudonym} from {table} as held where held.council_code = %s "
                        "and held.{column}::text in "
                        "(select value from pg_temp.erased_value where domain_name = %s) "
                        "and held.{pseudonym} is not null"
                    ).format(
                        pseudonym=sql.Identifier(str(column.pseudonym_column)),
                        column=sql.Identifier(column.name),
                        table=history.table(contract),
                    ),
                    [council, PERSON],
                )
            }
    # What was published before the key was changed has the pseudonyms of that time.
    return found | pseudonyms.retired(loader, council, found)


def _fill_surrogates(loader: Loader, plan: Plan, tokens: Tokens, key: Key) -> None:
    contracts, _ = contracts_and_rules()
    kinds = {domain: column for each in contracts.values() for column, domain in domains(each).items()}
    rows = [
        (
            domain,
            value,
            ERASED_TEXT
            if is_free_words(kinds[domain]) and domain != PERSON
            else tokens.surrogate(plan.council, value, is_number=kinds[domain].kind == "integer"),
        )
        for domain, values in plan.values.items()
        if domain in kinds
        for value in values
    ]
    made = key.pseudonyms(
        plan.council,
        pl.Series("ref", [int(each) if domain == PERSON else 0 for domain, _, each in rows], dtype=pl.Int64),
    )
    loader.execute(
        """
        update pg_temp.erased_value as known
        set surrogate = given.surrogate, pseudonym = given.pseudonym
        from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as given (domain_name, value, surrogate, pseudonym)
        where (known.domain_name, known.value) = (given.domain_name, given.value)
        """,
        [
            [domain for domain, _, _ in rows],
            [value for _, value, _ in rows],
            [surrogate for _, _, surrogate in rows],
            made.to_list(),
        ],
    )


def _delete(loader: Loader, contract: Contract, council: str) -> int:
    row = loader.execute(
        sql.SQL(
            """
            with gone as (
                delete from {table} as held where held.council_code = %(council)s and {leads}
                returning held.batch_id, held.source_line
            ),

            notes as (
                delete from quarantine.normalised_value as note
                using gone
                where note.batch_id = gone.batch_id and note.line_number = gone.source_line
            )

            select count(*) from gone
            """
        ).format(table=history.table(contract), leads=_leads(contract)),
        {"council": council},
    ).fetchone()
    return int(row[0]) if row else 0


def _sever(loader: Loader, contract: Contract, council: str) -> int:
    def instead(column: Column, domain: str) -> sql.Composable:
        return sql.SQL(
            "{column} = coalesce((select surrogate from pg_temp.erased_value as known "
            "where known.domain_name = {domain} and known.value = held.{column}::text)::{kind}, held.{column})"
        ).format(column=sql.Identifier(column.name), domain=sql.Literal(domain), kind=sql.SQL(column.sql_type))

    assignments = [instead(column, domain) for column, domain in domains(contract).items()]
    column = contract.pseudonymised
    if column is not None:
        assignments.append(
            sql.SQL(
                "{pseudonym} = coalesce((select pseudonym from pg_temp.erased_value as known "
                "where known.domain_name = {domain} and known.value = held.{column}::text), held.{pseudonym})"
            ).format(
                pseudonym=sql.Identifier(str(column.pseudonym_column)),
                domain=sql.Literal(PERSON),
                column=sql.Identifier(column.name),
            )
        )
    return loader.execute(
        # A fingerprint is of the row as it was sent.
        sql.SQL(
            "update {table} as held set {assignments}, fingerprint = null where held.council_code = %s and {leads}"
        ).format(table=history.table(contract), assignments=sql.SQL(", ").join(assignments), leads=_leads(contract)),
        [council],
    ).rowcount
