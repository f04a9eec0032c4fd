"""Changes the pseudonym key: everybody gets a new pseudonym, throughout history, and the old one leads to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from ingestion import history, pseudonyms
from ingestion.contract import Contract, load_contracts
from ingestion.copying import copying
from ingestion.pseudonyms import Key, secret_name

PEOPLE_AT_A_TIME = 50_000
PEOPLE = ("council_code", "person_number", "retired_person_id")
CHANGE = sql.Identifier("pg_temp", "pseudonym_change")


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: people's numbers given a new pseudonym, versions of rows rewritten, links kept."""

    key_version: int
    numbers: int
    rows: int
    links: int


@dataclass(frozen=True)
class KeyVersion:
    """One version of the key, and how many pseudonyms retired with it still lead to today's."""

    key_version: int
    made_at: datetime
    made_by: str
    because: str
    is_in_use: bool
    links: int


def rotate(settings: Settings, by: str, because: str) -> Rotated:
    """Make the next version of the key the one in use, and replace every pseudonym in history.

    The old key is not needed, so that this also puts right that it was lost. One transaction: whoever is killed, or
    reads meanwhile, finds all as it was before. What is published stays as it is; `audit.pseudonym_link` leads from
    its pseudonyms, and from those of earlier versions, to the new ones.

    Raises:
        CarehouseError: something is being loaded or built, no reason is given, nobody has a pseudonym yet, or the new
            key is to come from the environment and is not there, is too short, or was in use before.
    """
    if not by.strip() or not because.strip():
        raise CarehouseError("A change of key is recorded for ever: say who changes it, and why.")
    contracts = [contract for contract in load_contracts() if contract.pseudonymised]
    with connect(settings, Role.LOADER) as loader:
        _be_alone(loader)
        history.ensure_tables(loader, contracts)
        in_use = pseudonyms.version_in_use(loader)
        version = (in_use[0] if in_use else 1) + 1
        key = _next_key(settings, loader, version)
        say(f"giving everybody a new pseudonym, under version {version} of the key")
        numbers = _work_out(loader, contracts, key)
        if not numbers:
            raise CarehouseError("Nobody has a pseudonym yet, so there is nothing to change.")
        rows = sum(_rewrite(loader, contract) for contract in contracts)
        links = _link(loader, version - 1)
        loader.execute(
            "insert into audit.pseudonym_key (key_version, check_value, made_by, because) values (%s, %s, %s, %s)",
            [version, key.check_value, by, because],
        )
    return Rotated(version, numbers, rows, links)


def key_versions(settings: Settings) -> list[KeyVersion]:
    """List the versions of the key, latest first."""
    with connect(settings, Role.AUDITOR) as auditor:
        found = auditor.execute(
            """
            select
                known.key_version,
                known.made_at,
                known.made_by,
                known.because,
                known.key_version = max(known.key_version) over (),
                (select count(*) from audit.pseudonym_link as link where link.key_version = known.key_version)
            from audit.pseudonym_key as known
            order by known.key_version desc
            """
        ).fetchall()
    return [KeyVersion(*row) for row in found]


def links(settings: Settings) -> Iterator[tuple[str, int, str, str]]:
    """Give council, key version, retired pseudonym and today's, for each pseudonym that was retired; for auditors."""
    with connect(settings, Role.AUDITOR) as auditor, auditor.cursor(name="links") as cursor:
        cursor.itersize = PEOPLE_AT_A_TIME
        cursor.execute(
            """
            select council_code, key_version, retired_person_id, person_id
            from audit.pseudonym_link
            order by council_code, key_version, retired_person_id
            """
        )
        yield from cursor


def forget(settings: Settings, through_version: int, by: str, because: str) -> int:
    """Delete the links from pseudonyms of key versions up to this one; give how many. Nothing brings them back.

    Raises:
        CarehouseError: the version is in use or unknown, or no reason is given.
    """
    if not by.strip() or not because.strip():
        raise CarehouseError("That links are forgotten is recorded for ever: say who decides it, and why.")
    with connect(settings, Role.LOADER) as loader:
        pseudonyms.hold(loader)
        in_use = pseudonyms.version_in_use(loader)
        if in_use is None or not 0 < through_version < in_use[0]:
            raise CarehouseError(f"Version {through_version} of the pseudonym key has not been retired.")
        forgotten = loader.execute(
            "delete from audit.pseudonym_link where key_version <= %s", [through_version]
        ).rowcount
        loader.execute(
            """
            insert into audit.pseudonym_links_forgotten (through_key_version, row_count, forgotten_by, because)
            values (%s, %s, %s, %s)
            """,
            [through_version, forgotten, by, because],
        )
    return forgotten


def _be_alone(loader: psycopg.Connection[Any]) -> None:
    """Keep loaders and builds out until all is done: a build that read both old and new would take one for two."""
    if not pseudonyms.be_alone(loader):
        raise CarehouseError("Something is being loaded or withdrawn. Change the key when that has ended.")
    built = loader.execute("select pg_try_advisory_xact_lock(hashtext('carehouse build'))").fetchone()
    if built != (True,):
        raise CarehouseError("A build is running. Change the key when it has ended.")


def _next_key(settings: Settings, loader: psycopg.Connection[Any], version: int) -> Key:
    name, before = secret_name(version), secret_name(version - 1)
    if settings.secret_from_environment(before) and not settings.secret_from_environment(name):
        raise CarehouseError(
            f"CAREHOUSE_{before.upper()} is an environment variable, so the new key must be one too, wherever "
            f"carehouse runs: set CAREHOUSE_{name.upper()} and keep the old one. See {pseudonyms.HOW_TO}."
        )
    secret = settings.secret(name)
    pseudonyms.refuse_short(version, secret)
    key = Key(version, secret)
    used = loader.execute("select from audit.pseudonym_key where check_value = %s", [key.check_value]).fetchone()
    if used is not None or secret == settings.secret_if_any(before):
        raise CarehouseError(f"The key in {pseudonyms.where_kept(version)} was in use before. Make a new one.")
    return key


def _work_out(loader: psycopg.Connection[Any], contracts: list[Contract], key: Key) -> int:
    """Put every number that has a pseudonym into a temporary table with the old one and the new; give how many."""
    loader.execute(
        """
        create temporary table pseudonym_change (
            council_code text not null, person_number text not null, retired_person_id text, person_id text not null
        ) on commit drop
        """
    )
    everybody = sql.SQL(" union ").join(pseudonyms.numbers_of(contract) for contract in contracts)
    with loader.cursor(name="everybody") as cursor:
        cursor.execute(everybody)
        while rows := cursor.fetchmany(PEOPLE_AT_A_TIME):
            people = pl.DataFrame(
                rows,
                schema=dict.fromkeys(("council_code", "person_number", "retired_person_id"), pl.String),
                orient="row",
            )
            for (council,), its in people.group_by("council_code"):
                new = key.pseudonyms(str(council), its["person_number"]).alias("person_id")
                with copying(loader, CHANGE, [*its.columns, "person_id"]) as write:
                    write(its.with_columns(new))
    loader.execute("create index on pg_temp.pseudonym_change (council_code, person_number)")
    loader.execute("analyze pg_temp.pseudonym_change")
    counted = loader.execute(
        "select count(*) from (select distinct council_code, person_number from pg_temp.pseudonym_change) as people"
    ).fetchone()
    return int(counted[0]) if counted else 0


def _rewrite(loader: psycopg.Connection[Any], contract: Contract) -> int:
    column = contract.pseudonymised
    if column is None:
        return 0
    rows = loader.execute(
        sql.SQL(
            """
            update {history} as known
            set {pseudonym} = change.person_id
            from (select distinct council_code, person_number, person_id from {change}) as change
            where known.council_code = change.council_code and known.{number}::text = change.person_number
            """
        ).format(
            history=history.table(contract),
            pseudonym=sql.Identifier(str(column.pseudonym_column)),
            number=sql.Identifier(column.name),
            change=CHANGE,
        )
    ).rowcount
    say(f"  {contract.name}: {rows:,} rows")
    return rows


def _link(loader: psycopg.Connection[Any], retired_version: int) -> int:
    """Lead from every pseudonym that is retired now or was before to the new one; those of nobody any more go."""
    parts = {"change": CHANGE}
    for statement in (
        """
        update audit.pseudonym_link as link
        set person_id = change.person_id
        from {change} as change
        where link.council_code = change.council_code and link.person_id = change.retired_person_id
        """,
        """
        delete from audit.pseudonym_link as link
        where not exists (
            select from {change} as change
            where link.council_code = change.council_code and link.person_id = change.person_id
        )
        """,
    ):
        loader.execute(sql.SQL(statement).format(**parts))
    return loader.execute(
        sql.SQL(
            """
            insert into audit.pseudonym_link (council_code, retired_person_id, key_version, person_id)
            select distinct council_code, retired_person_id, %s::integer, person_id
            from {change}
            where retired_person_id is not null and retired_person_id <> person_id
            on conflict (council_code, retired_person_id) do update set person_id = excluded.person_id
            """
        ).format(**parts),
        [retired_version],
    ).rowcount
