"""`carehouse reader`: who may read."""

from getpass import getuser
from typing import Annotated

import typer

from carehouse.commands.answers import print_table
from carehouse.commands.options import By
from carehouse.settings import Settings

reader = typer.Typer(no_args_is_help=True, help="Who may read: one login for each person or gateway.")

Councils = Annotated[list[str], typer.Option("--council", help="A council, or all; may be given several times.")]


@reader.command("add")
def reader_add(
    name: Annotated[str, typer.Argument(help="The login: of one person, or of one gateway.")],
    council: Councils,
    is_open: Annotated[bool, typer.Option("--open", help="Only the marts with small numbers suppressed.")] = False,
    connections: Annotated[int | None, typer.Option(min=1, help="How many at once; default: 10.")] = None,
    by: By = None,
) -> None:
    """Let somebody read the figures of councils; prints the password of a new login, once."""
    from carehouse.readers import add
    from ingestion.contract import load_councils

    password = add(
        Settings.load(), name, council, load_councils(), by or getuser(), is_open=is_open, connections=connections
    )
    print(password or f"{name} was there already and keeps the password; another: carehouse reader password {name}")


@reader.command("revoke")
def reader_revoke(name: str, council: Councils, by: By = None) -> None:
    """Take councils from a reader, from the next statement on."""
    from carehouse.readers import revoke

    revoke(Settings.load(), name, council, by or getuser())


@reader.command("password")
def reader_password(name: str, by: By = None) -> None:
    """Give a reader a new password; prints it, once."""
    from carehouse.readers import change_password

    print(change_password(Settings.load(), name, by or getuser()))


@reader.command("remove")
def reader_remove(name: str, by: By = None) -> None:
    """Take a reader's login away and end its sessions."""
    from carehouse.readers import remove

    remove(Settings.load(), name, by or getuser())


@reader.command("list")
def reader_list() -> None:
    """Show every login that may read, and which councils it sees."""
    from carehouse.readers import readers

    print_table(readers(Settings.load()), "Nobody may read.")
