"""Takes away what has been kept for as long as its record class says, and keeps it from coming back.

People go as one when eight years (or what the class says) have passed since anything last happened to them; rows of
money go with their financial year. Nothing that a figure still looks back to is touched, and nothing that is held.
"""

import shutil
import time
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from carehouse.progress import say
from carehouse.settings import Settings
from ingestion import erasure, history, legal_hold, quarantine
from ingestion.contract import Column, Contract, load_councils
from ingestion.record_classes import LAST_ACTIVITY, RecordClass, Rules, contracts_and_rules
from ingestion.suppression import PERSON, Tokens, domains

BY = "retention rules"
SECONDS_A_DAY = 86_400
Loader = psycopg.Connection[Any]


@dataclass(frozen=True)
class Taken:
    """What one class lost in one table of one council; `held_back` says why nothing was taken."""

    record_class: str
    council: str
    table: str
    cut_off: str
    rows: int
    held_back: str = ""


def apply(settings: Settings, as_of: date, *, dry_run: bool = False) -> list[Taken]:
    """Apply the rules of `retention.yaml` as they stand on a day; count only, if `dry_run`.

    Repeating it takes nothing more; interrupted, it goes on where it stopped.

    Raises:
        CarehouseError: a build is running.
    """
    contracts, rules = contracts_and_rules()
    run = str(uuid.uuid4())
    taken: list[Taken] = []
    with erasure.alone(settings) as loader:
        for council in load_councils():
            for record_class in rules.classes.values():
                cut_off = cut_off_of(record_class, rules, as_of)
                if cut_off is None:
                    continue
                if record_class.after == LAST_ACTIVITY:
                    taken += _people(settings, loader, run, record_class, council, cut_off, as_of, dry_run=dry_run)
                    continue
                for contract in contracts.values():
                    if rules.of(contract) == record_class:
                        taken += _rows(loader, run, contract, record_class, council, cut_off, as_of, dry_run=dry_run)
        held = [hold for hold in legal_hold.standing(settings) if hold.council is None]
    if not dry_run:
        _copies(settings, rules, {hold.council for hold in legal_hold.standing(settings)} if not held else None)
    return [each for each in taken if each.rows or each.held_back]


def cut_off_of(record_class: RecordClass, rules: Rules, as_of: date) -> date | None:
    """Give the day before which the class is taken away on a day; None where it is kept for ever."""
    if record_class.keep_years is None:
        return None
    years_ago = as_of.replace(year=as_of.year - record_class.keep_years, day=min(as_of.day, 28))
    return min(years_ago, rules.figures_need_from)


def _people(
    settings: Settings,
    loader: Loader,
    run: str,
    record_class: RecordClass,
    council: str,
    cut_off: date,
    as_of: date,
    *,
    dry_run: bool,
) -> list[Taken]:
    tokens = Tokens.of(settings)
    with loader.transaction():
        due = _people_due(loader, council, cut_off, legal_hold.held_people(loader, council), tokens)
    everything = "all that is kept of people"
    if not due:
        return []
    if dry_run:
        return [Taken(record_class.name, council, everything, cut_off.isoformat(), len(due))]
    because = f"{record_class.name}: {record_class.keep_years} years after {LAST_ACTIVITY}"
    try:
        done = erasure.take_away(settings, loader, council, due, BY, because, as_of)
    except legal_hold.HeldError as held:
        return [Taken(record_class.name, council, everything, cut_off.isoformat(), 0, str(held))]
    steps = loader.execute(
        "select object_name, sum(rows_deleted + rows_severed)::bigint from audit.erasure_step "
        "where erasure_id = %s and step_code = 'history' group by object_name order by object_name",
        [done.erasure_id],
    ).fetchall()
    for table, rows in steps:
        _record(loader, run, record_class, council, table, as_of, cut_off, rows)
    return [Taken(record_class.name, council, table, cut_off.isoformat(), rows) for table, rows in steps]


def _people_due(loader: Loader, council: str, cut_off: date, held: set[str], tokens: Tokens) -> list[str]:
    """Give those to whom nothing has happened since, and to no one merged with them."""
    loader.execute("drop table if exists pg_temp.activity")
    loader.execute(
        sql.SQL(
            """
            create temporary table activity on commit drop as
            select person_ref, max(last_day) as last_day, max(known_from) as known_from, bool_or(goes_on) as goes_on
            from ({}) as happened
            where person_ref is not null
            group by person_ref
            """
        ).format(sql.SQL(" union all ").join(_happenings())),
        {"council": council},
    )
    due = {
        row[0]
        for row in loader.execute(
            """
            select activity.person_ref::text
            from pg_temp.activity
            left join history.mosaic__persons as person
                on
                    person.council_code = %(council)s
                    and person.person_ref = activity.person_ref
                    and person.known_to is null
            where
                -- Who has died has no service that goes on, whatever was not closed.
                (not activity.goes_on or person.death_date is not null)
                and coalesce(greatest(activity.last_day, person.death_date), activity.known_from) < %(cut_off)s
            """,
            {"council": council, "cut_off": cut_off},
        )
    }
    due -= {each for each in due if tokens.token(council, PERSON, each) in held}
    merges = loader.execute(
        "select merged_person_ref::text, master_person_ref::text from history.mosaic__person_merges "
        "where council_code = %s and known_to is null",
        [council],
    ).fetchall()
    before = -1
    while len(due) != before:
        before = len(due)
        due -= {each for pair in merges if not set(pair) <= due for each in pair}
    return sorted(due)


def _happenings() -> list[sql.Composable]:
    """Write, for each table that leads to people, whose day it is, the last day it says, and whether it goes on."""
    contracts, _ = contracts_and_rules()
    found: list[sql.Composable] = []
    for contract in contracts.values():
        people = [column for column in contract.columns if column.names_person]
        own: list[tuple[sql.Composable, sql.Composable]] = [
            (sql.SQL("held.{}").format(sql.Identifier(column.name)), sql.SQL("")) for column in people
        ]
        for column in contract.columns if not people else ():
            table, _, target = (column.refers_to or "").rpartition(".")
            for person in contracts[table].columns if table and table != contract.name else ():
                if person.names_person:
                    own.append(
                        (
                            sql.SQL("parent.{}").format(sql.Identifier(person.name)),
                            sql.SQL(
                                "inner join {} as parent on parent.council_code = held.council_code "
                                "and parent.{} = held.{}"
                            ).format(
                                history.table(contracts[table]), sql.Identifier(target), sql.Identifier(column.name)
                            ),
                        )
                    )
        days = days_of(contract)
        last = (
            sql.SQL("greatest({})").format(
                sql.SQL(", ").join(sql.SQL("held.{}::date").format(sql.Identifier(day.name)) for day in days)
            )
            if days
            else sql.SQL("null::date")
        )
        ends = [column for column in contract.columns if column.name in ("end_date", "ceased_date", "closed_date")]
        goes_on = (
            sql.SQL("held.known_to is null and held.{} is null").format(sql.Identifier(ends[0].name))
            if ends and _is_service(contract)
            else sql.SQL("false")
        )
        found += [
            sql.SQL(
                "select {} as person_ref, {} as last_day, held.known_from, {} as goes_on from {} as held {} "
                "where held.council_code = %(council)s"
            ).format(person, last, goes_on, history.table(contract), join)
            for person, join in own
        ]
    return found


def _is_service(contract: Contract) -> bool:
    """Say whether a row without an end is something that goes on: an address or a support reason is not."""
    return any(column.name in ("element_ref", "service_code", "support_code") for column in contract.columns) or (
        contract.name == "registers.brokerage_agreements"
    )


def days_of(contract: Contract) -> list[Column]:
    """Give the columns that say on which day something happened; days of a person's own life are none."""
    return [
        column
        for column in contract.stored
        if column.kind in ("date", "timestamp") and column.classification != "personal"
    ]


def end_of_year(contract: Contract) -> sql.Composable | None:
    """Write the end of the financial year of a row of history, called `held`; None where no column tells it."""
    names = [column.name for column in contract.stored]
    if "financial_year" in names:
        return sql.SQL("make_date((substring(held.financial_year from '^[0-9]{{4}}'))::integer + 1, 3, 31)").format()
    days = days_of(contract)
    if not days:
        return None
    last = sql.SQL("greatest({})").format(
        sql.SQL(", ").join(sql.SQL("held.{}::date").format(sql.Identifier(day.name)) for day in days)
    )
    return sql.SQL("make_date(extract(year from {0})::integer + (extract(month from {0}) > 3)::integer, 3, 31)").format(
        last
    )


def _rows(
    loader: Loader,
    run: str,
    contract: Contract,
    record_class: RecordClass,
    council: str,
    cut_off: date,
    as_of: date,
    *,
    dry_run: bool,
) -> list[Taken]:
    """Take the rows of financial years that ended long ago out of one table, in one transaction."""
    year_end = end_of_year(contract)
    if year_end is None:
        return []
    said = (record_class.name, council, contract.name, cut_off.isoformat())
    due = sql.SQL("held.council_code = %s and {} < %s").format(year_end)
    with loader.transaction():
        loader.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {contract.name}"])
        if legal_hold.covers_table(loader, council, contract.source, record_class.name) or (
            domains(contract) and legal_hold.held_people(loader, council)
        ):
            counted = loader.execute(
                sql.SQL("select count(*) from {} as held where {}").format(history.table(contract), due),
                [council, cut_off],
            ).fetchone()
            return [Taken(*said, 0, "a legal hold covers it")] if counted and counted[0] else []
        if dry_run:
            counted = loader.execute(
                sql.SQL("select count(*) from {} as held where {}").format(history.table(contract), due),
                [council, cut_off],
            ).fetchone()
            return [Taken(*said, counted[0] if counted else 0)]
        rows = loader.execute(
            sql.SQL("delete from {} as held where {}").format(history.table(contract), due), [council, cut_off]
        ).rowcount
        if rows:
            _record(loader, run, record_class, council, contract.name, as_of, cut_off, rows)
    return [Taken(*said, rows)]


def _record(
    loader: Loader,
    run: str,
    record_class: RecordClass,
    council: str,
    table: str,
    as_of: date,
    cut_off: date,
    rows: int,
) -> None:
    _, rules = contracts_and_rules()
    loader.execute(
        """
        insert into audit.retention_run
        (retention_run_id, class_name, council_code, table_name, as_of_date, cut_off_date, no_build_before_date,
        rows_removed)
        values (%s, %s, %s, %s, %s, %s, %s::date + make_interval(years => %s), %s)
        """,
        [run, record_class.name, council, table, as_of, cut_off, cut_off, rules.figures_look_back_years, rows],
    )


def _copies(settings: Settings, rules: Rules, held: set[str | None] | None) -> None:
    """Delete copies that are old enough; of a council about which anything is held, none."""
    if held is None or held:
        say("copies of what was sent are kept while a legal hold stands")
    if held is None:
        return
    if not held:
        say(f"purged {quarantine.purge(settings, rules.quarantine_days)} rows from quarantine")
    for folder, days in (("archive", rules.archive_days), ("refused", rules.refused_days)):
        for council in load_councils():
            if council not in held:
                _delete_older(settings.home / folder / council, days)
    if not held:
        for made in ("exports", "reports"):
            _delete_older(settings.home / made, rules.export_days)


def _delete_older(folder: Path, days: int) -> None:
    before = time.time() - days * SECONDS_A_DAY
    old = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime < before]
    for path in old:
        path.unlink(missing_ok=True)
        if path.parent != folder and not any(path.parent.iterdir()):
            shutil.rmtree(path.parent)
    if old:
        say(f"deleted {len(old)} files of {folder.parent.name}/{folder.name} older than {days} days")
