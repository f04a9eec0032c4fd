"""Legal holds: nothing that one covers is deleted, by retention or by erasure, until somebody lifts it."""

from dataclasses import dataclass
from typing import Any

import psycopg

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion.contract import load_councils
from ingestion.erasure_plan import Plan
from ingestion.record_classes import contracts_and_rules
from ingestion.suppression import PERSON, Tokens


class HeldError(CarehouseError):
    """A legal hold covers what was to be deleted."""


SCOPES = ("person", "record_class", "council", "source")


@dataclass(frozen=True)
class Hold:
    """One hold that stands. Of a person it says the council alone."""

    legal_hold_id: int
    scope: str
    council: str | None
    name: str | None
    because: str
    placed_by: str
    placed_at: str


def place(
    settings: Settings, scope: str, council: str | None, name: str | None, person: str | None, by: str, because: str
) -> int:
    """Place a hold on a person, a record class, a council or a source; give its number.

    A hold on a person covers every record merged into the same person, also one merged later.

    Raises:
        CarehouseError: it does not say what it covers, or names what is not known.
    """
    contracts, rules = contracts_and_rules()
    known = {"record_class": set(rules.classes), "source": {each.source for each in contracts.values()}}
    if scope not in SCOPES:
        raise CarehouseError(f"A hold covers one of: {', '.join(SCOPES)}.")
    if (council is not None or scope in ("person", "council")) and council not in load_councils():
        raise CarehouseError("Name a council of ingestion/councils.yaml, with --council.")
    if scope in known and name not in known[scope]:
        raise CarehouseError(f"There is no such {scope}; there are: {', '.join(sorted(known[scope]))}.")
    if scope == "person" and (person is None or not person.isdigit()):
        raise CarehouseError("A person is named by their number in the care system: digits, and nothing else.")
    if person is not None and person in because:
        raise CarehouseError("The reason is kept for ever, and must not name the person.")
    _must_say(by, because)
    tokens = Tokens.of(settings)
    with connect(settings, Role.LOADER) as loader:
        # An erasure that has begun has asked for holds already: whoever holds waits, and sees what was left.
        loader.execute("select pg_advisory_xact_lock(hashtext('carehouse erasure'))")
        row = loader.execute(
            """
            insert into audit.legal_hold (scope_code, council_code, scope_name, person_token, because, placed_by)
            values (%s, %s, %s, %s, %s, %s)
            returning legal_hold_id
            """,
            [
                scope,
                council,
                name if scope in known else None,
                tokens.token(str(council), PERSON, person) if scope == "person" else None,
                because.strip(),
                by.strip(),
            ],
        ).fetchone()
    return int(row[0]) if row else 0


def lift(settings: Settings, hold_id: int, by: str, because: str) -> None:
    """Lift a hold; that it stood is kept.

    Raises:
        CarehouseError: there is none of that number, or it was lifted already.
    """
    _must_say(by, because)
    with connect(settings, Role.LOADER) as loader:
        if hold_id not in [each.legal_hold_id for each in _standing(loader)]:
            raise CarehouseError(f"No legal hold {hold_id} stands. See: carehouse retention hold list")
        loader.execute(
            "insert into audit.legal_hold_lifted (legal_hold_id, because, lifted_by) values (%s, %s, %s)",
            [hold_id, because.strip(), by.strip()],
        )


def standing(settings: Settings) -> list[Hold]:
    """Give the holds that stand, oldest first."""
    with connect(settings, Role.LOADER) as loader:
        return _standing(loader)


def refuse_held(loader: psycopg.Connection[Any], plan: Plan, tokens: Tokens) -> None:
    """See that nothing of a plan is held.

    Raises:
        CarehouseError: naming the hold, who placed it, and when.
    """
    _, rules = contracts_and_rules()
    people = set(plan.tokens(tokens).get(PERSON, ()))
    classes = {rules.of(contract).name for contract in plan.tables}
    sources = {contract.source for contract in plan.tables}
    for hold, token in _standing_with_tokens(loader):
        covers = {
            "person": token in people,
            "council": True,
            "record_class": hold.name in classes,
            "source": hold.name in sources,
        }[hold.scope]
        if covers and hold.council in (None, plan.council):
            raise HeldError(
                f"Nothing was deleted: legal hold {hold.legal_hold_id} on a {hold.scope.replace('_', ' ')} covers it, "
                f"placed by {hold.placed_by} on {hold.placed_at}. Only when it is lifted can it be erased."
            )


def held_people(loader: psycopg.Connection[Any], council: str) -> set[str]:
    """Give the tokens of the people of a council who are held."""
    return {str(token) for hold, token in _standing_with_tokens(loader) if token and hold.council == council}


def covers_table(loader: psycopg.Connection[Any], council: str, source: str, record_class: str) -> bool:
    """Say whether a hold covers all of a council's table."""
    return any(
        hold.council in (None, council)
        and (
            hold.scope == "council"
            or (hold.scope == "source" and hold.name == source)
            or (hold.scope == "record_class" and hold.name == record_class)
        )
        for hold in _standing(loader)
    )


def _standing(loader: psycopg.Connection[Any]) -> list[Hold]:
    return [hold for hold, _ in _standing_with_tokens(loader)]


def _standing_with_tokens(loader: psycopg.Connection[Any]) -> list[tuple[Hold, str | None]]:
    rows = loader.execute(
        """
        select
            held.legal_hold_id, held.scope_code, held.council_code, held.scope_name, held.because, held.placed_by,
            held.placed_at::date::text, held.person_token
        from audit.legal_hold as held
        where not exists (select from audit.legal_hold_lifted as ended where ended.legal_hold_id = held.legal_hold_id)
        order by held.legal_hold_id
        """
    ).fetchall()
    return [(Hold(*row[:-1]), row[-1]) for row in rows]


def _must_say(by: str, because: str) -> None:
    if not by.strip() or len(because.strip()) < 10:
        raise CarehouseError("It is recorded for ever: say who decided it, and why in at least ten letters.")
