"""Takes away what is kept of a person: history, quarantine, what was published, and the files they came in.

An erasure is registered first, in the ledger and in a file outside the database, by keyed tokens. From then on no
delivery brings the person back. What follows may be interrupted at any point and is done again from the tokens alone,
which is also how it is done again after a backup was restored. It ends with a search that finds nothing.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import Settings
from ingestion import erased_files, erasure_plan, erasure_register, history, legal_hold, pseudonyms
from ingestion.contract import load_councils
from ingestion.erasure_plan import Plan
from ingestion.erasure_register import Entry
from ingestion.record_classes import contracts_and_rules
from ingestion.suppression import PERSON, PSEUDONYM, Tokens, load_suppression, refuse_other_key

LONGEST_REASON = 500
Loader = psycopg.Connection[Any]


@dataclass
class Erased:
    """What one erasure did, counted. `left` counts what the search at the end still found: it must be empty."""

    erasure_id: str
    deleted: int = 0
    severed: int = 0
    quarantined: int = 0
    published: int = 0
    files: int = 0
    left: dict[str, int] = field(default_factory=dict)


def erase(settings: Settings, council: str, person: str, by: str, because: str) -> Erased:
    """Erase a person, named by their number in the care system, with every record merged into the same person.

    Raises:
        CarehouseError: the person is not known, a legal hold covers them, a build is running, or the reason names them.
    """
    if council not in load_councils():
        raise CarehouseError("There is no such council in ingestion/councils.yaml.")
    if not person.isdigit():
        raise CarehouseError("A person is named by their number in the care system: digits, and nothing else.")
    _refuse_reason(by, because, person)
    tokens = Tokens.of(settings)
    with _alone(settings) as loader:
        refuse_other_key(loader, tokens)
        with loader.transaction():
            _lock_tables(loader)
            plan = erasure_plan.of_people(loader, council, [person], by_name_too=True)
            if not plan.is_known:
                raise CarehouseError(
                    f"Nobody of {council} has that number, in any table that is kept. If only a file that was refused "
                    "holds it, delete the file from the refused folder."
                )
            _refuse_named(plan, because, by)
            legal_hold.refuse_held(loader, plan, tokens)
            entry = Entry(
                str(uuid.uuid4()), "erasure", council, tokens.check, because.strip(), by.strip(), plan.tokens(tokens)
            )
            _register(settings, loader, entry)
            done = _take_away(settings, loader, entry, plan, tokens)
        return _finish(settings, loader, entry, tokens, done)


def take_away(
    settings: Settings, loader: Loader, council: str, people: list[str], by: str, because: str, as_of: date
) -> Erased:
    """Take away what is kept of people whose time is up, as one registered act; `loader` must be alone, and locked."""
    tokens = Tokens.of(settings)
    with loader.transaction():
        _lock_tables(loader)
        plan = erasure_plan.of_people(loader, council, people, by_name_too=False)
        legal_hold.refuse_held(loader, plan, tokens)
        entry = Entry(
            str(uuid.uuid4()), "retention", council, tokens.check, because, by, plan.tokens(tokens), as_of.isoformat()
        )
        _register(settings, loader, entry)
        done = _take_away(settings, loader, entry, plan, tokens)
    return _finish(settings, loader, entry, tokens, done)


def resume(settings: Settings) -> list[Erased]:
    """End what was interrupted: every erasure in the ledger that has not been verified."""
    tokens = Tokens.of(settings)
    with _alone(settings) as loader:
        refuse_other_key(loader, tokens)
        return [_again(settings, loader, entry, tokens) for entry in erasure_register.unfinished(loader)]


def reapply(settings: Settings) -> list[Erased]:
    """Do again what the register outside the database says and the database does not know, as after a restore.

    What is registered in the database alone is added to the file. Every erasure is searched for once more, since
    files may have been restored without the database; one that is found nowhere is left as it is.

    Raises:
        CarehouseError: the file was written under another key, or a line of it is damaged.
    """
    tokens = Tokens.of(settings)
    with _alone(settings) as loader:
        refuse_other_key(loader, tokens)
        entries = erasure_register.read(settings)
        if any(entry.key_check != tokens.check for entry in entries):
            raise CarehouseError(
                "The register was written under another erasure key. Restore CAREHOUSE_ERASURE_KEY from your backup."
            )
        in_file = {entry.erasure_id for entry in entries}
        known = erasure_register.known(loader)
        erasure_register.complete(settings, known, in_file)
        carried_out = {entry.erasure_id for entry in known} - {
            entry.erasure_id for entry in erasure_register.unfinished(loader)
        }
        everything = [*entries, *(entry for entry in known if entry.erasure_id not in in_file)]
        return [
            _again(settings, loader, entry, tokens)
            for entry in everything
            if entry.erasure_id not in carried_out
            # Whose time was up may have come back.
            or (entry.kind == "erasure" and _search(settings, loader, entry, tokens))
        ]


@contextmanager
def alone(settings: Settings) -> Iterator[Loader]:
    """Give a loader's connection while no build runs and nobody else erases; both wait for, or refuse, each other."""
    with _alone(settings) as loader:
        yield loader


@contextmanager
def _alone(settings: Settings) -> Iterator[Loader]:
    contracts, _ = contracts_and_rules()
    with connect(settings, Role.LOADER, autocommit=True) as loader:
        loader.execute("select pg_advisory_lock(hashtext('carehouse erasure'))")
        # What a build has read already it would publish.
        taken = loader.execute("select pg_try_advisory_lock(hashtext('carehouse build'))").fetchone()
        if taken != (True,):
            raise CarehouseError("A build is running, and would publish what is erased meanwhile; wait for it to end.")
        history.ensure_tables(loader, contracts.values())
        yield loader


def _lock_tables(loader: Loader) -> None:
    """Wait for loaders, and keep new ones waiting until the tokens are there to stop them."""
    contracts, _ = contracts_and_rules()
    pseudonyms.hold(loader)
    for name in sorted(contracts):
        loader.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {name}"])


def _register(settings: Settings, loader: Loader, entry: Entry) -> None:
    # Outside first: what is registered twice is done once, what is not registered comes back with a backup.
    erasure_register.append(settings, entry)
    erasure_register.record(loader, entry)


def _take_away(settings: Settings, loader: Loader, entry: Entry, plan: Plan, tokens: Tokens) -> Erased:
    """In one transaction of the caller: after it, nothing in history or quarantine leads to the person."""
    done = Erased(entry.erasure_id)
    contracts, _ = contracts_and_rules()
    key = pseudonyms.key_in_use(settings, loader, contracts.values())
    for contract, deleted, severed in erasure_plan.carry_out(loader, plan, tokens, key):
        done.deleted += deleted
        done.severed += severed
        if deleted or severed:
            _step(loader, entry, "history", contract.name, deleted, severed)
    done.quarantined = _clear_quarantine(loader, entry.council, tokens)
    _step(loader, entry, "quarantine", "rejected_row", done.quarantined)
    return done


def _again(settings: Settings, loader: Loader, entry: Entry, tokens: Tokens) -> Erased:
    say(f"erasure {entry.erasure_id}: doing what is left of it")
    with loader.transaction():
        _lock_tables(loader)
        erasure_register.record(loader, entry)
        plan = erasure_plan.of_tokens(loader, entry, tokens)
        whole = entry.with_more(plan.tokens(tokens))
        if whole.values != entry.with_more({}).values:
            # An older backup may know more of the person than was known when they were erased.
            _register(settings, loader, whole)
        done = _take_away(settings, loader, whole, plan, tokens)
    return _finish(settings, loader, whole, tokens, done)


def _finish(settings: Settings, loader: Loader, entry: Entry, tokens: Tokens, done: Erased) -> Erased:
    """Do what lies outside history, then search for the person everywhere."""
    loader.execute("select store.discard_candidate()")
    _sweep(loader, entry)
    with loader.transaction():
        for home, mart, rows in _replace_published(loader, entry, tokens):
            done.published += rows
            _step(loader, entry, "store", f"{home}.{mart}", 0, rows)
    done.files = erased_files.redact(settings, loader, entry, tokens)
    _step(loader, entry, "files", "kept files", done.files)
    done.left = _search(settings, loader, entry, tokens)
    if done.left:
        found = ", ".join(f"{place} {count}" for place, count in done.left.items())
        raise CarehouseError(
            f"Erasure {entry.erasure_id} is not complete: the search still found {found}. "
            "Run: carehouse retention resume"
        )
    _step(loader, entry, "verified", "everything searched")
    say(f"erasure {entry.erasure_id}: found nowhere")
    return done


def _sweep(loader: Loader, entry: Entry) -> None:
    """Have the server drop what it keeps of deleted rows, in pages and in statistics, which quote values."""
    touched = loader.execute(
        "select distinct object_name from audit.erasure_step where erasure_id = %s and step_code = 'history'",
        [entry.erasure_id],
    ).fetchall()
    contracts, _ = contracts_and_rules()
    tables = [history.table(contracts[name]) for (name,) in touched if name in contracts]
    for table in [*tables, sql.Identifier("quarantine", "rejected_row")]:
        loader.execute(sql.SQL("vacuum (analyze) {}").format(table))


def _step(loader: Loader, entry: Entry, code: str, name: str, deleted: int = 0, severed: int = 0) -> None:
    loader.execute(
        "insert into audit.erasure_step (erasure_id, step_code, object_name, rows_deleted, rows_severed) "
        "values (%s, %s, %s, %s, %s)",
        [entry.erasure_id, code, name, deleted, severed],
    )


def _clear_quarantine(loader: Loader, council: str, tokens: Tokens) -> int:
    """Delete rejected rows that lead to anybody erased; their counts stay in the manifest."""
    places = _in_quarantine(loader, council, tokens)
    return loader.execute("delete from quarantine.rejected_row where ctid = any(%s::tid[])", [places]).rowcount


def _in_quarantine(loader: Loader, council: str, tokens: Tokens) -> list[str]:
    contracts, _ = contracts_and_rules()
    found: list[str] = []
    for contract in contracts.values():
        suppression = load_suppression(loader, contract, council, tokens)
        if suppression:
            rows = loader.execute(
                "select ctid::text, column_name, row_as_sent from quarantine.rejected_row "
                "where council_code = %s and source_name = %s and table_name = %s and row_as_sent <> ''",
                [council, contract.source, contract.table],
            ).fetchall()
            found += erased_files.rejected_of_erased(suppression, contract, rows)
    return found


def _replace_published(loader: Loader, entry: Entry, tokens: Tokens) -> Iterator[tuple[str, str, int]]:
    """Write other numbers in place of theirs into what is published, so that no row is lost and no total moves."""
    columns = _published_columns(loader)
    theirs = _pseudonyms_published(loader, columns, entry, tokens)
    if not theirs and not entry.values:
        return
    numbers = _numbers_published(loader, columns, entry, tokens)
    replacements = {each: tokens.other_pseudonym(entry.council, each) for each in theirs}
    for (home, mart), by_column in numbers.items():
        for name, found in by_column.items():
            is_number = columns[home, mart][name]
            replacements |= {each: tokens.surrogate(entry.council, each, is_number=is_number) for each in found}
    for (home, mart), of_mart in columns.items():
        rows = _replace(loader, entry.council, home, mart, list(of_mart), sorted(theirs), replacements)
        # Beside a person's pseudonym every number is theirs; elsewhere only those of a column that holds such numbers.
        if not any(name.endswith("person_id") for name in of_mart):
            for name, found in numbers.get((home, mart), {}).items():
                rows += _replace(loader, entry.council, home, mart, [name], sorted(found), replacements)
        if rows:
            yield home, mart, rows


def _numbers_published(
    loader: Loader, columns: dict[tuple[str, str], dict[str, bool]], entry: Entry, tokens: Tokens
) -> dict[tuple[str, str], dict[str, set[str]]]:
    """Give the numbers of theirs that are published, by table and column."""
    listed = {domain: set(found) for domain, found in entry.values.items()}
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for (home, mart), of_mart in columns.items():
        for name in of_mart:
            of_column = [domain for domain in listed if _is_of_domain(name, domain)]
            hits = {
                each
                for each in (_published_values(loader, home, mart, name) if of_column else [])
                if any(tokens.token(entry.council, domain, each) in listed[domain] for domain in of_column)
            }
            if hits:
                found.setdefault((home, mart), {})[name] = hits
    return found


def _replace(
    loader: Loader, council: str, home: str, mart: str, told_by: list[str], values: list[str], by: dict[str, str]
) -> int:
    if not values:
        return 0
    row = loader.execute(
        "select store.replace_values(%s, %s, %s, %s, %s, %s)", [council, home, mart, told_by, values, Jsonb(by)]
    ).fetchone()
    return int(row[0]) if row else 0


def _published_columns(loader: Loader) -> dict[tuple[str, str], dict[str, bool]]:
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for home, mart, column, is_number in loader.execute(
        "select home, mart_name, column_name, is_number from store.columns_that_lead_to_people()"
    ):
        found.setdefault((home, mart), {})[column] = is_number
    return found


def _published_values(loader: Loader, home: str, mart: str, column: str) -> list[str]:
    return [
        row[0] for row in loader.execute("select store.values_that_lead_to_people(%s, %s, %s)", [home, mart, column])
    ]


def _pseudonyms_published(
    loader: Loader, columns: dict[tuple[str, str], dict[str, bool]], entry: Entry, tokens: Tokens
) -> set[str]:
    wanted = set(entry.values.get(PSEUDONYM, ()))
    found: set[str] = set()
    for (home, mart), of_mart in columns.items():
        for name in of_mart if wanted else ():
            if name.endswith("person_id"):
                found |= {
                    each
                    for each in _published_values(loader, home, mart, name)
                    if tokens.token(entry.council, PSEUDONYM, each) in wanted
                }
    return found


def _is_of_domain(column: str, domain: str) -> bool:
    name = domain.rpartition(".")[2]
    return domain not in (PERSON, PSEUDONYM) and (column == name or column.endswith(f"_{name}"))


def _search(settings: Settings, loader: Loader, entry: Entry, tokens: Tokens) -> dict[str, int]:
    """Count where anything registered is still found: in history, quarantine, what is published, and kept files."""
    found = {f"history.{name}": rows for name, rows in erasure_plan.search(loader, entry, tokens).items()}
    found["quarantine"] = len(_in_quarantine(loader, entry.council, tokens))
    columns = _published_columns(loader)
    found["published"] = len(_pseudonyms_published(loader, columns, entry, tokens)) + len(
        _numbers_published(loader, columns, entry, tokens)
    )
    found["files"] = erased_files.search(settings, loader, entry, tokens)
    return {place: count for place, count in found.items() if count}


def _refuse_reason(by: str, because: str, person: str) -> None:
    if len(because.strip()) < 10 or not by.strip():
        raise CarehouseError("An erasure is recorded for ever: say who decided it, and why in at least ten letters.")
    if len(because) > LONGEST_REASON or person in because or person in by:
        raise CarehouseError("The reason is kept for ever: it must be short, and must not name the person.")


def _refuse_named(plan: Plan, because: str, by: str) -> None:
    words = f"{because} {by}".casefold()
    if any(name.casefold() in words for name in plan.names):
        raise CarehouseError("The reason is kept for ever and must not name the person.")
