"""`carehouse retention`: how long things are kept, what may not be deleted, and how a person is erased."""

import os
import sys
from datetime import datetime
from getpass import getpass, getuser
from typing import TYPE_CHECKING, Annotated

import typer

from carehouse.errors import CarehouseError
from carehouse.settings import Settings

if TYPE_CHECKING:
    from ingestion.erasure import Erased

PERSON_VARIABLE = "CAREHOUSE_PERSON"

retention = typer.Typer(no_args_is_help=True, help="How long things are kept, legal holds, and erasing a person.")
hold = typer.Typer(no_args_is_help=True, help="Legal holds: what one covers is not deleted.")
retention.add_typer(hold, name="hold")

Council = Annotated[str, typer.Option(help="Whose: the council's code.")]
Because = Annotated[str, typer.Option(help="Why; recorded for ever. Never name the person.")]
By = Annotated[str | None, typer.Option(help="Who decided it; default: the name you are logged in with.")]


@retention.command()
def erase(council: Council, because: Because, by: By = None) -> None:
    """Erase a person, with every record merged into theirs. Their number is asked for, or read from standard input."""
    from ingestion.erasure import erase as take_away

    _say([take_away(Settings.load(), council, _person(), by or getuser(), because)])


@retention.command()
def resume() -> None:
    """End an erasure that was interrupted."""
    from ingestion.erasure import resume as go_on

    _say(go_on(Settings.load()))


@retention.command()
def reapply() -> None:
    """After a backup was restored: erase again whoever was erased since it was made, from the register."""
    from ingestion.erasure import reapply as again

    _say(again(Settings.load()))


@retention.command("apply")
def apply_rules(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The rules as they stand on a day; default: today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, and take nothing away.")] = False,
) -> None:
    """Take away what has been kept for as long as its record class says."""
    from ingestion.landing import today
    from ingestion.retention import apply

    taken = apply(Settings.load(), as_of.date() if as_of else today(), dry_run=dry_run)
    for each in taken:
        words = (
            f"held back: {each.held_back}" if each.held_back else f"{each.rows} {'due' if dry_run else 'taken away'}"
        )
        print(f"{each.record_class}  {each.council}  {each.table}  before {each.cut_off}  {words}")
    if not taken:
        print("Nothing is due.")


@hold.command("place")
def hold_place(
    scope: Annotated[str, typer.Argument(help="person, record_class, council or source.")],
    because: Because,
    name: Annotated[str | None, typer.Argument(help="The record class or source.")] = None,
    council: Annotated[str | None, typer.Option(help="Only of this council; needed for a person.")] = None,
    by: By = None,
) -> None:
    """Forbid deletion. The number of a person is asked for, or read from standard input."""
    from ingestion.legal_hold import place

    person = _person() if scope == "person" else None
    number = place(Settings.load(), scope, council, name, person, by or getuser(), because)
    print(f"legal hold {number} placed")


@hold.command("lift")
def hold_lift(
    hold_id: Annotated[int, typer.Argument(help="The hold's number.")], because: Because, by: By = None
) -> None:
    """End a legal hold."""
    from ingestion.legal_hold import lift

    lift(Settings.load(), hold_id, by or getuser(), because)
    print(f"legal hold {hold_id} lifted")


@hold.command("list")
def hold_list() -> None:
    """List the legal holds that stand; a person is not named."""
    from ingestion.legal_hold import standing

    for each in standing(Settings.load()):
        covered = " ".join(filter(None, [each.scope, each.name, each.council]))
        print(f"{each.legal_hold_id:>6}  {covered}  placed by {each.placed_by} on {each.placed_at}: {each.because}")


def _person() -> str:
    """Ask for a person's number where nobody else sees it: not in the list of processes, nor in the shell's history."""
    given = os.environ.get(PERSON_VARIABLE) or (
        getpass("Number of the person in the care system: ") if sys.stdin.isatty() else sys.stdin.readline()
    )
    if not given.strip():
        raise CarehouseError(f"Give the person's number on standard input, or in {PERSON_VARIABLE}.")
    return given.strip()


def _say(done: "list[Erased]") -> None:
    for each in done:
        print(
            f"erasure {each.erasure_id}: {each.deleted} rows of history deleted, {each.severed} severed, "
            f"{each.quarantined} taken from quarantine, {each.published} published rows given other numbers, "
            f"{each.files} files redacted or removed; found nowhere"
        )
    if not done:
        print("Nothing was left to do.")
